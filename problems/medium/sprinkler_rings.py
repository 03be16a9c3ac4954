"""Count the plants in rings around a tap.

topics: geometry, searching
"""

from __future__ import annotations

import random
from bisect import bisect_right


def sprinkler_rings(plants: list[list[int]], tap: list[int], rings: list[list[int]]) -> list[int]:
    """Return for each ring around the tap how many plants grow in it.

    Plants and tap are points [x, y] with whole numbers, which may be negative; plants may share a
    point. A ring [inner, outer] holds two whole numbers of 0 or more. A plant is in the ring if
    its straight distance from the tap is more than `inner` and at most `outer`, exactly and
    without rounding. So a plant at the tap is in no ring, and a ring whose `outer` is not greater
    than its `inner` holds nothing. Rings may overlap. The result has one number per ring, in the
    same order.

    >>> sprinkler_rings([[3, 4], [0, 2], [-6, 0]], [0, 0], [[0, 5], [5, 9]])
    [2, 1]
    >>> sprinkler_rings([[1, 1], [2, 2]], [1, 1], [[0, 1], [1, 2], [9, 3]])
    [0, 1, 0]
    """
    left, top = tap
    squares = sorted((x - left) ** 2 + (y - top) ** 2 for x, y in plants)
    counts: list[int] = []
    for inner, outer in rings:
        near = bisect_right(squares, inner**2)
        far = bisect_right(squares, outer**2)
        counts.append(max(far - near, 0))
    return counts


def naive(plants: list[list[int]], tap: list[int], rings: list[list[int]]) -> list[int]:
    """Same answers, measuring every plant for every ring."""
    counts: list[int] = []
    for inner, outer in rings:
        count = 0
        for x, y in plants:
            square = (x - tap[0]) ** 2 + (y - tap[1]) ** 2
            if inner**2 < square <= outer**2:
                count += 1
        counts.append(count)
    return counts


CASES = [
    ([], [0, 0], []),
    ([], [0, 0], [[0, 5]]),
    ([[1, 2]], [0, 0], []),
    ([[5, 5]], [5, 5], [[0, 0], [0, 9]]),
    ([[3, 4]], [0, 0], [[0, 5]]),
    ([[3, 4]], [0, 0], [[5, 6]]),
    ([[3, 4]], [0, 0], [[4, 4], [5, 5], [6, 5], [7, 0]]),
    ([[-3, -4], [-3, 4], [3, -4]], [0, 0], [[0, 5], [4, 5], [0, 4]]),
    ([[1, 1], [1, 1], [1, 1]], [0, 0], [[1, 2], [1, 2]]),
    ([[1, 1]], [0, 0], [[0, 1], [1, 2], [2, 3]]),
    ([[10, 10], [14, 13], [7, 6]], [10, 10], [[0, 5], [4, 5], [5, 10]]),
    ([[0, 0], [2, 0], [0, 3], [4, 0]], [-1, -1], [[0, 2], [2, 4], [0, 9], [4, 1]]),
    ([[100000001, 1], [100000000, 0]], [0, 0], [[100000000, 100000001], [0, 100000000], [100000001, 100000002]]),
    ([[7, 24], [24, 7], [15, 20], [0, 25], [25, 1]], [0, 0], [[0, 24], [24, 25], [25, 26]]),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]], list[int], list[list[int]]]:
    """n plants and n rings."""
    rng = random.Random(n * 1009 + seed)
    plants = [[rng.randint(-900, 900), rng.randint(-900, 900)] for _ in range(n)]
    rings: list[list[int]] = []
    for _ in range(n):
        inner = rng.randint(0, 1000)
        rings.append([inner, inner + rng.randint(-3, 300)])
    rings = [[inner, max(outer, 0)] for inner, outer in rings]
    return plants, [rng.randint(-90, 90), rng.randint(-90, 90)], rings


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
