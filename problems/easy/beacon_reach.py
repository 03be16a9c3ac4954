"""Count the boats that see a beacon.

topics: geometry, sorting
"""

from __future__ import annotations

import random
from bisect import bisect_right


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    """Return for each range how many boats see the beacon.

    The beacon stands at the point (0, 0). Each boat is a list [x, y] of two whole numbers, which
    may be negative; several boats may lie at the same point and each of them counts. A boat sees
    a beacon of range r if its straight-line distance from it is r or less, judged exactly, without
    rounding. A negative range is a beacon that is off: nobody sees it, not even a boat at (0, 0).
    Ranges come in any order and may repeat; the counts stand in the order of the ranges. Both
    lists may be empty.

    >>> beacon_reach([[3, 4], [-6, 0], [0, 0]], [5, 4, 6])
    [2, 1, 3]
    >>> beacon_reach([[0, 0]], [-1, 0])
    [0, 1]
    """
    squares = sorted(x * x + y * y for x, y in boats)
    seen: list[int] = []
    for reach in ranges:
        seen.append(bisect_right(squares, reach * reach) if reach >= 0 else 0)
    return seen


def naive(boats: list[list[int]], ranges: list[int]) -> list[int]:
    """Same answers, measuring every boat for each range."""
    seen: list[int] = []
    for reach in ranges:
        near = [1 for x, y in boats if reach >= 0 and x * x + y * y <= reach * reach]
        seen.append(len(near))
    return seen


CASES = [
    ([], []),
    ([], [3]),
    ([[1, 2]], []),
    ([[0, 0]], [0, -1, 1]),
    ([[3, 4]], [5, 4, 6]),
    ([[3, 4], [3, 4], [-3, -4]], [5]),
    ([[1, 1]], [1, 2]),
    ([[-7, 0], [0, 7], [5, 5]], [7, 8, 6]),
    ([[2, 2], [-2, 2], [2, -2]], [2, 3, -3]),
    ([[5, 0], [1, 0], [9, 0]], [9, 1, 5, 5]),
    ([[10, 0]], [-10, 10]),
    ([[300000000, 400000000]], [499999999, 500000000]),
    ([[94906267, 1]], [94906267, 94906268]),
    ([[0, -6], [6, 0], [4, 4], [0, 0]], [0, 5, 6, 100]),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]], list[int]]:
    """n boats around the beacon and n ranges."""
    rng = random.Random(n * 1009 + seed)
    boats = [[rng.randint(-n, n), rng.randint(-n, n)] for _ in range(n)]
    return boats, [rng.randint(-n // 10, 2 * n) for _ in range(n)]


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
