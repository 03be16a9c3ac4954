"""Mistake: the pattern of light is returned instead of its number of places."""

from __future__ import annotations


def punch_light(cards: list[int], places: int) -> list[int]:
    patterns: list[int] = []
    for spot in range(len(cards)):
        light = 2**places - 1
        for other in cards[:spot] + cards[spot + 1 :]:
            light &= other
        patterns.append(light)
    return patterns
