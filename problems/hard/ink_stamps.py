"""Print many stamps on one sheet.

topics: matrices, prefix sums
"""

from __future__ import annotations

import random
from itertools import accumulate
from math import isqrt


def ink_stamps(height: int, width: int, limit: int, stamps: list[list[int]]) -> list[list[int]]:
    """Return how dark each square of a sheet is after all stamps.

    The sheet has `height` rows and `width` columns of squares (0 or more each), all with darkness
    0. A stamp is [row, column, rows, columns, ink]: it adds `ink` to every square of a block that
    is `rows` high and `columns` wide (0 or more each) and whose upper left square is at row,
    column, counted from 0. These may be negative or too large; what lies outside of the sheet is
    lost. Ink may be negative (bleach). When all stamps are done, and not before, darkness below 0
    becomes 0 and darkness above `limit` (0 or more) becomes `limit`. Return the rows from top to
    bottom.

    >>> ink_stamps(2, 3, 5, [[0, 1, 9, 1, 4], [1, -1, 1, 3, 2]])
    [[0, 4, 0], [2, 5, 0]]
    >>> ink_stamps(1, 2, 9, [[0, 0, 1, 2, -3], [0, 1, 1, 1, 4]])
    [[0, 1]]
    """
    changes = [[0] * (width + 1) for _ in range(height + 1)]
    for row, column, rows, columns, ink in stamps:
        top, bottom = max(row, 0), min(row + rows, height)
        left, right = max(column, 0), min(column + columns, width)
        if top < bottom and left < right:
            changes[top][left] += ink
            changes[top][right] -= ink
            changes[bottom][left] -= ink
            changes[bottom][right] += ink
    sheet: list[list[int]] = []
    sums = [0] * width
    for line in changes[:height]:
        sums = [above + change for above, change in zip(sums, line, strict=False)]
        sheet.append([min(max(dark, 0), limit) for dark in accumulate(sums)])
    return sheet


def naive(height: int, width: int, limit: int, stamps: list[list[int]]) -> list[list[int]]:
    """Same answers, inking every square of every stamp."""
    sheet = [[0] * width for _ in range(height)]
    for row, column, rows, columns, ink in stamps:
        for y in range(max(row, 0), min(row + rows, height)):
            for x in range(max(column, 0), min(column + columns, width)):
                sheet[y][x] += ink
    return [[min(max(dark, 0), limit) for dark in line] for line in sheet]


CASES = [
    (0, 0, 5, []),
    (0, 3, 5, [[0, 0, 2, 2, 1]]),
    (2, 0, 5, [[0, 0, 2, 2, 1]]),
    (1, 1, 0, [[0, 0, 1, 1, 7]]),
    (2, 3, 9, []),
    (2, 2, 9, [[0, 0, 1, 1, 3]]),
    (2, 2, 9, [[0, 0, 0, 2, 3], [1, 1, 1, 0, 4]]),
    (3, 3, 9, [[-1, -1, 2, 2, 3], [2, 2, 5, 5, 4]]),
    (3, 3, 9, [[-3, 0, 2, 2, 3], [0, 3, 2, 2, 4], [5, 5, 1, 1, 1]]),
    (1, 3, 5, [[0, 0, 1, 3, 9], [0, 1, 1, 1, -6]]),
    (1, 3, 5, [[0, 0, 1, 3, -9], [0, 1, 1, 2, 10]]),
    (2, 4, 6, [[0, 1, 2, 2, 4], [1, 0, 1, 4, 3], [0, 3, 1, 1, -2]]),
    (3, 2, 100, [[0, 0, 3, 2, 1], [1, 0, 2, 1, 10], [0, 1, 2, 1, 100]]),
    (4, 4, 8, [[0, 0, 4, 4, 1], [1, 1, 2, 2, 2], [-5, -5, 50, 50, 3], [3, 0, 1, 4, -9]]),
    (3, 5, 7, [[1, -2, 1, 4, 5], [-1, 4, 9, 9, 6], [0, 0, 3, 1, -1], [2, 2, 1, 1, 8]]),
]


def scaled(n: int, seed: int = 0) -> tuple[int, int, int, list[list[int]]]:
    """n stamps on a square sheet of about n squares."""
    rng = random.Random(n * 1009 + seed)
    side = isqrt(n) + 1
    stamps: list[list[int]] = []
    for _ in range(n):
        row, column = rng.randint(-2, side // 2), rng.randint(-2, side // 2)
        stamps.append([row, column, rng.randint(side // 2, side), rng.randint(side // 2, side), rng.randint(-4, 5)])
    return side, side, n // 3 + 2, stamps


SIZES = (80, 500, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
