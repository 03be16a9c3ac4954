"""Mistake: a boat that turns back still takes its time in the lock."""

from __future__ import annotations


def canal_lock(boats: list[list[int]], patience: int) -> list[int]:
    waits: list[int] = []
    free = 0
    for arrival, passage in boats:
        wait = max(0, free - arrival)
        waits.append(wait if wait <= patience else -1)
        free = arrival + wait + passage
    return waits
