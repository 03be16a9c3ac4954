"""Mistake: skiers queue in list order."""

from __future__ import annotations


def lift_queue(arrivals: list[int], every: int, seats: int, patience: int) -> list[int]:
    waits = [-1] * len(arrivals)
    leaves = -1
    free = 0
    for skier in range(len(arrivals)):
        came = arrivals[skier]
        first = -(-came // every) * every
        if first > leaves:
            leaves, free = first, seats
        elif free == 0:
            leaves, free = leaves + every, seats
        if leaves - came <= patience:
            waits[skier] = leaves - came
            free -= 1
    return waits
