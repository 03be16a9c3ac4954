"""Mistake: a day with only losses is skipped."""

from __future__ import annotations


def stall_moves(takings: list[list[int]], fee: int) -> int:
    best = [0] * len(takings[0]) if takings else [0]
    for day in takings:
        moved = max(best) - fee
        best = [max(stayed, moved) + max(gain, 0) for stayed, gain in zip(best, day, strict=True)]
    return max(best)
