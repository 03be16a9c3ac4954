"""Count the rugs that hide each rug of a long hall.

topics: intervals, sorting, binary search
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort


def hall_rugs(rugs: list[list[int]]) -> list[int]:
    """Return for each rug how many of the other rugs cover it completely.

    All rugs are as wide as the hall. Each is given by two whole numbers, the marks along the hall
    where it begins and ends; they may be negative and may come in either order. Both marks belong
    to the rug; if they are equal, the rug is a thin strip at that mark. Another rug covers it if
    every place of the covered rug is also a place of that other rug, so two rugs at the same marks
    cover each other. What several rugs cover only together does not count. Rugs come in no special
    order. The counts are returned in the order of `rugs`; no rugs give [].

    >>> hall_rugs([[2, 5], [9, 2], [5, 2], [4, 6]])
    [2, 0, 2, 1]
    >>> hall_rugs([[0, 4], [4, 8], [4, 4], [3, 5]])
    [0, 0, 3, 0]
    """
    spans = [(min(rug), max(rug)) for rug in rugs]
    counts: dict[tuple[int, int], int] = {}
    ends: list[int] = []
    for first, last in sorted(spans, key=lambda span: (span[0], -span[1])):
        # of rugs at the same marks the last one sees all the others; its count is right for each
        counts[first, last] = len(ends) - bisect_left(ends, last)
        insort(ends, last)
    return [counts[span] for span in spans]


def naive(rugs: list[list[int]]) -> list[int]:
    """Same answers, comparing each rug with all rugs."""
    counts: list[int] = []
    for rug in rugs:
        count = -1  # every rug covers itself
        for other in rugs:
            if min(other) <= min(rug) and max(rug) <= max(other):
                count += 1
        counts.append(count)
    return counts


CASES = [
    ([],),
    ([[3, 8]],),
    ([[3, 3], [3, 3]],),
    ([[1, 4], [4, 1]],),
    ([[1, 4], [1, 4], [1, 4]],),
    ([[0, 9], [0, 5]],),
    ([[0, 5], [0, 9]],),
    ([[4, 9], [0, 9], [9, 2]],),
    ([[0, 5], [5, 9], [5, 5]],),
    ([[0, 5], [5, 9], [2, 7]],),
    ([[0, 10], [1, 9], [2, 8], [3, 7], [4, 6], [5, 5]],),
    ([[5, 5], [4, 6], [7, 3], [2, 8], [9, 1], [0, 10]],),
    ([[-5, -2], [-2, -9], [0, -9], [-4, -3], [1, -3]],),
    ([[0, 3], [1, 4], [2, 5], [3, 6], [3, 4], [2, 3]],),
    ([[7, 2], [2, 7], [2, 8], [1, 7], [3, 7], [2, 6], [8, 1], [8, 1]],),
    ([[-1000000000, 1000000000], [0, 0], [1000000000, 0], [-7, -7]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """n rugs of all lengths in a hall of n marks."""
    rng = random.Random(n * 1009 + seed)
    return ([[rng.randint(0, n), rng.randint(0, n)] for _ in range(n)],)


SIZES = (80, 500, 4_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
