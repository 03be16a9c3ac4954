"""Find the tents that touch no other tent.

topics: intervals, sorting
"""

from __future__ import annotations

import random
from math import inf


def lone_tents(tents: list[list[int]]) -> list[list[int]]:
    """Return the tents that share no point with any other tent.

    Tents stand along a straight lane. Each is a list [left, right] of whole numbers with left <=
    right and covers all points from left to right, both ends included; the numbers may be
    negative. Two tents that share only an end point do share a point, and so do two equal tents.
    A tent is lone if it shares no point with any other entry of the list. The lone tents come
    back as [left, right] lists, ordered from the smallest left end to the largest. The given tents
    are in any order. No tents give an empty list.

    >>> lone_tents([[8, 9], [1, 3], [3, 5]])
    [[8, 9]]
    >>> lone_tents([[4, 4], [-2, 0], [1, 3]])
    [[-2, 0], [1, 3], [4, 4]]
    """
    order = sorted(tents)
    lone: list[list[int]] = []
    reach = -inf
    for spot, (left, right) in enumerate(order):
        free = reach < left
        if free and (spot + 1 == len(order) or right < order[spot + 1][0]):
            lone.append([left, right])
        reach = max(reach, right)
    return lone


def naive(tents: list[list[int]]) -> list[list[int]]:
    """Same answers, comparing each tent with all others."""
    lone: list[list[int]] = []
    for left, right in tents:
        touching = [1 for start, end in tents if start <= right and left <= end]
        if len(touching) == 1:  # only itself
            lone.append([left, right])
    return sorted(lone)


CASES = [
    ([],),
    ([[2, 5]],),
    ([[2, 2]],),
    ([[2, 5], [2, 5]],),
    ([[1, 3], [3, 5]],),
    ([[1, 3], [4, 5]],),
    ([[4, 5], [1, 3]],),
    ([[0, 20], [2, 3], [5, 6], [21, 22]],),
    ([[0, 10], [2, 3], [9, 12], [13, 14]],),
    ([[-5, -3], [-2, 0], [-3, -3], [7, 7]],),
    ([[1, 1], [1, 1], [2, 2], [3, 3]],),
    ([[0, 9], [0, 1], [5, 5], [10, 11]],),
    ([[30, 31], [20, 21], [10, 11], [11, 12]],),
    ([[5, 8], [1, 2], [8, 8], [3, 4], [-9, 0]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """n tents on a lane of length 10 n, about half of them lone."""
    rng = random.Random(n * 1009 + seed)
    lefts = [rng.randrange(10 * n) for _ in range(n)]
    return ([[left, left + rng.randint(0, 4)] for left in lefts],)


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
