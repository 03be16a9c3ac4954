"""Find the hedges that tower above those before them.

topics: matrices
"""

from __future__ import annotations

import random


def proud_hedges(garden: list[list[int]]) -> list[list[int]]:
    """Return the places [row, column] of all proud hedges of a garden.

    The garden is a rectangle: a list of rows of equal length, each number the height of one hedge,
    1 or more. Rows and columns count from 0, row 0 at the top, column 0 on the left. A hedge is
    proud if it is higher than every hedge to its left in the same row and also higher than every
    hedge above it in the same column. Equal height is not higher. So the hedge at [0, 0] is always
    proud. The places are listed row by row from the top, within a row from left to right. The
    garden may have no rows, or rows without hedges; then the result is empty.

    >>> proud_hedges([[2, 1, 4], [2, 3, 4], [5, 6, 7]])
    [[0, 0], [0, 2], [1, 1], [2, 0], [2, 1], [2, 2]]
    >>> proud_hedges([])
    []
    """
    proud: list[list[int]] = []
    tops = [0] * len(garden[0]) if garden else []
    for row, hedges in enumerate(garden):
        left = 0
        for column, height in enumerate(hedges):
            if height > left and height > tops[column]:
                proud.append([row, column])
            left = max(left, height)
            tops[column] = max(tops[column], height)
    return proud


def naive(garden: list[list[int]]) -> list[list[int]]:
    """Same answers, looking left and up from every hedge."""
    proud: list[list[int]] = []
    for row, hedges in enumerate(garden):
        for column, height in enumerate(hedges):
            higher = True
            for other in range(column):
                if hedges[other] >= height:
                    higher = False
            for other in range(row):
                if garden[other][column] >= height:
                    higher = False
            if higher:
                proud.append([row, column])
    return proud


CASES = [
    ([],),
    ([[]],),
    ([[], [], []],),
    ([[1]],),
    ([[3, 3, 3]],),
    ([[3], [3], [4]],),
    ([[1, 2], [2, 1]],),
    ([[2, 1], [1, 2]],),
    ([[1, 5, 2, 6], [9, 1, 9, 9]],),
    ([[5, 4], [4, 5], [6, 6]],),
    ([[1, 2, 3], [2, 3, 4], [3, 4, 5]],),
    ([[9, 1, 1], [1, 5, 6], [1, 6, 6], [2, 7, 8]],),
    ([[1000000, 999999], [1000001, 1000002]],),
    ([[2, 8, 3], [7, 4, 9], [1, 9, 10], [8, 8, 11]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """A garden of n rows and n columns."""
    rng = random.Random(n * 1009 + seed)
    return ([[rng.randint(1, 9) + row + column for column in range(n)] for row in range(n)],)


SIZES = (10, 40, 200)
GROWTH = {"reference": "n^2", "naive": "n^3"}
