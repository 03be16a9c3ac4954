"""Mistake: light passes where at least one card has a hole."""

from __future__ import annotations


def punch_light(cards: list[int], places: int) -> list[int]:
    counts: list[int] = []
    for spot in range(len(cards)):
        light = 0 if len(cards) > 1 else 2**places - 1
        for other in cards[:spot] + cards[spot + 1 :]:
            light |= other
        counts.append(light.bit_count())
    return counts
