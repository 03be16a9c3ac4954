"""Mistake: a pile without cards lets no light through."""

from __future__ import annotations

from functools import reduce
from operator import and_


def punch_light(cards: list[int], places: int) -> list[int]:
    counts: list[int] = []
    for spot in range(len(cards)):
        others = cards[:spot] + cards[spot + 1 :]
        counts.append(reduce(and_, others).bit_count() if others else 0)
    return counts
