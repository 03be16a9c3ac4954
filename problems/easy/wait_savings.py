"""Work out what waiting for a cheaper day saves.

topics: lists, suffix results
"""

from __future__ import annotations

import random
from itertools import accumulate


def wait_savings(prices: list[int], handling: int) -> list[int]:
    """Return for each day how much a buyer saves by waiting for the best later day.

    `prices` holds the price of a boat ticket for each day, in order; prices are whole numbers and
    may be 0. A buyer who waits pays the lowest price of all later days, and in addition a
    `handling` fee of 0 or more, charged once however long the wait is. The saving of a day is its
    own price minus what a waiting buyer pays. Where waiting saves nothing or costs more, and on
    the last day, it is 0. The savings stand in the order of the days. No days give an empty list.

    >>> wait_savings([9, 4, 6, 5], 0)
    [5, 0, 1, 0]
    >>> wait_savings([9, 4, 6, 5], 2)
    [3, 0, 0, 0]
    """
    lowest = list(accumulate(reversed(prices), min))
    lowest.reverse()
    return [max(0, price - low - handling) for price, low in zip(prices, lowest, strict=True)]


def naive(prices: list[int], handling: int) -> list[int]:
    """Same answers, looking at all later days for each day."""
    savings: list[int] = []
    for day, price in enumerate(prices):
        best = 0
        for later in prices[day + 1 :]:
            best = max(best, price - later - handling)
        savings.append(best)
    return savings


CASES = [
    ([], 0),
    ([5], 0),
    ([5], 3),
    ([5, 5], 0),
    ([5, 8], 0),
    ([8, 5], 0),
    ([8, 5], 3),
    ([8, 5], 4),
    ([9, 1, 8, 2], 0),
    ([9, 1, 8, 2], 1),
    ([3, 7, 1, 9, 4, 0], 2),
    ([0, 0, 0], 0),
    ([10, 9, 8, 7, 6], 1),
    ([1, 2, 3, 4, 5], 1),
    ([100, 50, 99, 50, 100], 49),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """n days of slowly falling, noisy prices."""
    rng = random.Random(n * 1009 + seed)
    return [3 * (n - day) + rng.randint(0, 40) for day in range(n)], rng.randint(0, 9)


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
