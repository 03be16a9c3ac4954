"""Mistake: the stall stays at one place for all days."""

from __future__ import annotations


def stall_moves(takings: list[list[int]], fee: int) -> int:
    best = [0] * len(takings[0]) if takings else [0]
    for day in takings:
        best = [stayed + gain for stayed, gain in zip(best, day, strict=True)]
    return max(best)
