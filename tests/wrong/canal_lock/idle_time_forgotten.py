"""Mistake: the lock works on without pause when no boat is there."""

from __future__ import annotations


def canal_lock(boats: list[list[int]], patience: int) -> list[int]:
    waits: list[int] = []
    free = 0
    for arrival, passage in boats:
        wait = max(0, free - arrival)
        if wait > patience:
            waits.append(-1)
        else:
            waits.append(wait)
            free += passage
    return waits
