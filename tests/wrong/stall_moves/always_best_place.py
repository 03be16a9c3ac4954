"""Mistake: the best place of each day is taken and fees are paid afterwards."""

from __future__ import annotations


def stall_moves(takings: list[list[int]], fee: int) -> int:
    total = 0
    place = None
    for day in takings:
        best = day.index(max(day))
        total += day[best] - (fee if place not in (None, best) else 0)
        place = best
    return total
