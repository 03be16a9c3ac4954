"""Mistake: the patience is ignored."""

from __future__ import annotations


def canal_lock(boats: list[list[int]], patience: int) -> list[int]:
    waits: list[int] = []
    free = 0
    for arrival, passage in boats:
        wait = max(0, free - arrival)
        waits.append(wait)
        free = arrival + wait + passage
    return waits
