"""Find the best takings of a soup stall that may move.

topics: dynamic programming
"""

from __future__ import annotations

import random


def stall_moves(takings: list[list[int]], fee: int) -> int:
    """Return the largest total that a soup stall can earn over all days.

    `takings` has one list per day, in order. Each list holds one whole number per place, the gain
    of a stall that stands there on that day; a gain may be negative. All lists have the same
    length, at least 1. On each day the stall stands at exactly one place. On the first day it may
    stand anywhere for free. Between two days it may stay, which costs nothing, or move to any
    other place, which costs `fee` (0 or more), however far it is. The total is the sum of the
    gains minus all fees paid. No days give 0.

    >>> stall_moves([[5, 1], [2, 9], [4, 5]], 3)
    16
    >>> stall_moves([[5, 1], [2, 9]], 20)
    10
    """
    best = [0] * len(takings[0]) if takings else [0]
    for day in takings:
        moved = max(best) - fee
        best = [max(stayed, moved) + gain for stayed, gain in zip(best, day, strict=True)]
    return max(best)


def naive(takings: list[list[int]], fee: int) -> int:
    """Same answers, trying every pair of places for each night."""
    if not takings:
        return 0
    best = takings[0]
    for day in takings[1:]:
        after: list[int] = []
        for place, gain in enumerate(day):
            top = best[place]
            for total in best:
                if total - fee > top:
                    top = total - fee
            after.append(top + gain)
        best = after
    return max(best)


CASES = [
    ([], 5),
    ([[7]], 5),
    ([[-7]], 5),
    ([[-7, -3]], 2),
    ([[1, 2, 3]], 9),
    ([[4], [-6], [3]], 1),
    ([[5, 0], [0, 5]], 0),
    ([[5, 0], [0, 5]], 4),
    ([[5, 0], [0, 5]], 5),
    ([[5, 0], [0, 5]], 6),
    ([[9, 0, 8], [0, 0, 8], [9, 0, 8]], 3),
    ([[-1, -2], [-3, -1], [-5, -9]], 1),
    ([[10, 0], [0, 1], [10, 0]], 1),
    ([[3, 0, 0], [0, 3, 0], [0, 0, 3], [3, 0, 0]], 2),
    ([[6, 5], [0, 7], [0, 7], [6, 0]], 4),
    ([[0, 10], [4, 0], [4, 0], [4, 0]], 7),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]], int]:
    """Six days with n places each."""
    rng = random.Random(n * 1009 + seed)
    takings = [[rng.randint(-50, 400) for _ in range(n)] for _ in range(6)]
    return takings, rng.randint(0, 90)


SIZES = (60, 400, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
