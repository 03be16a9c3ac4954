"""Find crates whose row and column weigh the same.

topics: matrices, sums
"""

from __future__ import annotations

import random


def even_crates(grid: list[list[int]]) -> list[list[int]]:
    """Return the positions of the crates whose row weighs as much as their column.

    `grid` holds the weights of crates on a warehouse floor, row by row; all rows are equally long.
    Weights are whole numbers and may be zero or negative (a balloon). A crate counts if the sum
    of all weights in its row equals the sum of all weights in its column, its own weight being
    part of both. A position is the list [row, column], both counted from 0. Positions come in
    reading order: row by row, each from left to right. A grid without rows, or with rows of
    length 0, gives an empty list.

    >>> even_crates([[1, 2], [2, 1]])
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    >>> even_crates([[4, 0, 0], [1, 3, 2]])
    []
    """
    columns = [sum(column) for column in zip(*grid, strict=True)]
    even: list[list[int]] = []
    for row, weights in enumerate(grid):
        total = sum(weights)
        even.extend([row, spot] for spot, column in enumerate(columns) if column == total)
    return even


def naive(grid: list[list[int]]) -> list[list[int]]:
    """Same answers, adding up row and column for each crate."""
    even: list[list[int]] = []
    for row, weights in enumerate(grid):
        for spot in range(len(weights)):
            if sum(weight for weight in weights) == sum(other[spot] for other in grid):
                even.append([row, spot])
    return even


CASES = [
    ([],),
    ([[]],),
    ([[], []],),
    ([[5]],),
    ([[0, 0]],),
    ([[0], [0], [3]],),
    ([[1, 2], [2, 1]],),
    ([[1, 0, 0], [0, 2, 0], [0, 0, 3]],),
    ([[3, 0], [1, 2], [0, 5]],),
    ([[4, 0, 0], [1, 3, 2]],),
    ([[-1, 1], [1, -1]],),
    ([[2, -2, 4], [1, 1, 1]],),
    ([[7, 0, 0, 0]],),
    ([[1, 2, 3], [4, 5, 6], [1, 5, 9]],),
    ([[0, 6], [2, 4], [4, -4]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """A square grid of n rows with small weights."""
    rng = random.Random(n * 1009 + seed)
    return ([[rng.randint(-2, 3) for _ in range(n)] for _ in range(n)],)


SIZES = (20, 60, 250)
GROWTH = {"reference": "n^2", "naive": "n^3"}
