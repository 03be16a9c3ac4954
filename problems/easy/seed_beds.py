"""Count the rectangular beds for a number of seedlings.

topics: numbers, divisors
"""

from __future__ import annotations

import random
from math import isqrt


def seed_beds(seedlings: list[int], least: int) -> list[int]:
    """Return for each number of seedlings how many different full beds it can make.

    A bed is a full rectangle of rows by columns that uses all the seedlings of its number. It
    needs at least `least` rows and at least `least` columns; `least` is 1 or more. A bed of 3 by
    4 and one of 4 by 3 are the same bed and count once; a square bed counts once as well. The
    numbers of seedlings are 0 or more and may repeat; 0 seedlings make no bed. The counts stand
    in the given order. An empty list gives an empty list.

    >>> seed_beds([12, 7, 16], 1)
    [3, 1, 3]
    >>> seed_beds([12, 7, 16], 3)
    [1, 0, 1]
    """
    beds: list[int] = []
    for number in seedlings:
        fitting = [rows for rows in range(least, isqrt(number) + 1) if number % rows == 0]
        beds.append(len(fitting))
    return beds


def naive(seedlings: list[int], least: int) -> list[int]:
    """Same answers, trying every number of rows up to the seedlings."""
    beds: list[int] = []
    for number in seedlings:
        fitting = 0
        for rows in range(least, number + 1):
            if number % rows == 0 and rows * rows <= number:
                fitting += 1
        beds.append(fitting)
    return beds


CASES = [
    ([], 1),
    ([0], 1),
    ([1], 1),
    ([1], 2),
    ([2, 3], 1),
    ([4], 2),
    ([9, 9], 3),
    ([9], 4),
    ([36, 35], 1),
    ([36, 35], 5),
    ([36, 35], 6),
    ([36, 35], 7),
    ([12, 0, 24, 1], 2),
    ([97, 100, 64], 2),
    ([360, 361, 362], 1),
    ([6, 8, 10], 50),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """n numbers of seedlings, each between n and 2 n."""
    rng = random.Random(n * 1009 + seed)
    return [rng.randint(n, 2 * n) for _ in range(n)], rng.randint(1, 3)


SIZES = (50, 300, 2_000)
GROWTH = {"reference": "n sqrt n", "naive": "n^2"}
