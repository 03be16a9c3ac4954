"""Follow boats through a canal lock.

topics: simulation, queues
"""

from __future__ import annotations

import random


def canal_lock(boats: list[list[int]], patience: int) -> list[int]:
    """Return how many minutes each boat waits at the lock, or -1 if it turns back.

    Each boat is a list [arrival, passage]: the minute when it arrives and the minutes it needs
    inside the lock, all 0 or more. The list is sorted by arrival and boats are served in list
    order. The lock is free at minute 0 and holds one boat at a time. A boat enters as soon as it
    has arrived and the lock is free, if need be in the very minute when the boat before leaves.
    A boat that would wait longer than `patience` minutes (0 or more) turns back at once and never
    uses the lock. No boats give an empty list.

    >>> canal_lock([[0, 10], [4, 5], [12, 3]], 6)
    [0, 6, 3]
    >>> canal_lock([[0, 10], [4, 5], [12, 3]], 5)
    [0, -1, 0]
    """
    waits: list[int] = []
    free = 0
    for arrival, passage in boats:
        wait = max(0, free - arrival)
        if wait > patience:
            waits.append(-1)
        else:
            waits.append(wait)
            free = arrival + wait + passage
    return waits


CASES = [
    ([], 5),
    ([[0, 0]], 0),
    ([[7, 3]], 0),
    ([[0, 4], [4, 2]], 0),
    ([[0, 4], [3, 2]], 0),
    ([[0, 4], [3, 2]], 1),
    ([[5, 5], [5, 5], [5, 5]], 5),
    ([[5, 5], [5, 5], [5, 5]], 10),
    ([[5, 5], [5, 5], [5, 5]], 4),
    ([[0, 10], [4, 5], [12, 3]], 6),
    ([[0, 10], [4, 5], [12, 3]], 5),
    ([[0, 30], [1, 1], [2, 1], [29, 4], [31, 2]], 3),
    ([[2, 0], [2, 0], [2, 6], [3, 0], [8, 1]], 5),
    ([[1, 2], [10, 2], [11, 2], [20, 1]], 9),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]], int]:
    """n boats at a lock that is a little too slow for them."""
    rng = random.Random(n * 1009 + seed)
    arrivals = sorted(rng.randrange(10 * n) for _ in range(n))
    return [[arrival, rng.randint(5, 16)] for arrival in arrivals], 40


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n"}
