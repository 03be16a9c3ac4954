"""Mistake: the fee is paid on the first day too."""

from __future__ import annotations


def stall_moves(takings: list[list[int]], fee: int) -> int:
    best = [0] * len(takings[0]) if takings else [0]
    best = [total - fee for total in best] if takings else best
    for day in takings:
        moved = max(best) - fee
        best = [max(stayed, moved) + gain for stayed, gain in zip(best, day, strict=True)]
    return max(best)
