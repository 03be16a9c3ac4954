"""Mistake: a boat whose wait equals its patience turns back."""

from __future__ import annotations


def canal_lock(boats: list[list[int]], patience: int) -> list[int]:
    waits: list[int] = []
    free = 0
    for arrival, passage in boats:
        wait = max(0, free - arrival)
        if wait > 0 and wait >= patience:
            waits.append(-1)
        else:
            waits.append(wait)
            free = arrival + wait + passage
    return waits
