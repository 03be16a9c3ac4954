"""Mistake: the lone tents stay in the order of the input."""

from __future__ import annotations


def lone_tents(tents: list[list[int]]) -> list[list[int]]:
    lone: list[list[int]] = []
    for spot, (left, right) in enumerate(tents):
        others = tents[:spot] + tents[spot + 1 :]
        if not any(start <= right and left <= end for start, end in others):
            lone.append([left, right])
    return lone
