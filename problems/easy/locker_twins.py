"""Find lockers whose numbers use the same digits.

topics: numbers, dictionaries
"""

from __future__ import annotations

import random
from collections import Counter


def locker_twins(numbers: list[int]) -> list[int]:
    """Return for each locker how many other lockers are its twins.

    Locker numbers are whole numbers of 0 or more, in any order and possibly repeated. Two lockers
    are twins if their numbers, written in decimal without leading zeros, use exactly the same set
    of digits; how often and in which order a digit occurs does not matter. So 1211 and 21 are
    twins, while 12 and 123 are not, and 0 has only the digit 0. Two entries with equal numbers
    are twins as well, but no entry is its own twin. The counts stand in the given order. An empty
    list gives an empty list.

    >>> locker_twins([21, 1211, 3, 12])
    [2, 2, 0, 2]
    >>> locker_twins([40, 4])
    [0, 0]
    """
    keys = ["".join(sorted(set(str(number)))) for number in numbers]
    totals = Counter(keys)
    return [totals[key] - 1 for key in keys]


def naive(numbers: list[int]) -> list[int]:
    """Same answers, comparing each locker with all lockers."""
    digits = [set(str(number)) for number in numbers]
    counts: list[int] = []
    for own in digits:
        counts.append(sum(own == other for other in digits) - 1)
    return counts


CASES = [
    ([],),
    ([0],),
    ([0, 0],),
    ([7, 77, 777],),
    ([12, 21],),
    ([12, 123],),
    ([1, 10, 100, 1001],),
    ([5, 5, 55, 6],),
    ([112, 122, 12, 2111],),
    ([40, 4, 0, 404],),
    ([123, 321, 213, 1123, 13],),
    ([9, 8, 7],),
    ([1234567890, 9876543210, 123456789],),
    ([100200, 12, 210, 2010, 21],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int]]:
    """n locker numbers of up to five digits."""
    rng = random.Random(n * 1009 + seed)
    return ([rng.randrange(100_000) for _ in range(n)],)


SIZES = (100, 1_000, 8_000)
GROWTH = {"reference": "n", "naive": "n^2"}
