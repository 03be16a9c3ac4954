"""Mistake: all cards equal to the one left out are taken away."""

from __future__ import annotations


def punch_light(cards: list[int], places: int) -> list[int]:
    counts: list[int] = []
    for card in cards:
        light = 2**places - 1
        for other in cards:
            if other != card:
                light &= other
        counts.append(light.bit_count())
    return counts
