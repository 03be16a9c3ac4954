"""See as far as possible along a ridge.

topics: geometry, stack
"""

from __future__ import annotations

import random


def ridge_views(spots: list[list[int]]) -> list[int]:
    """Return for each spot of a ridge the furthest spot to the east that can be seen from it.

    A spot is [distance, height], both whole numbers; heights may be negative. The spots are listed
    from west to east: distances always grow, but not evenly. Two spots see each other if every spot
    listed between them lies strictly below the straight line that joins them; so neighbours always
    do. A spot exactly on the line blocks the view. The answer for a spot is the position in the
    list, counted from 0, of the last spot after it that can be seen from it; it is -1 for the last
    spot. No spots give [].

    >>> ridge_views([[0, 5], [1, 1], [3, 2], [4, 9]])
    [3, 3, 3, -1]
    >>> ridge_views([[0, 0], [10, 1], [20, 2], [21, 0]])
    [1, 2, 3, -1]
    """
    views: list[int] = []
    shape: list[int] = []  # the spots that still matter, the nearest last
    for spot in range(len(spots) - 1, -1, -1):
        x, height = spots[spot]
        while len(shape) > 1:
            near_x, near_height = spots[shape[-1]]
            far_x, far_height = spots[shape[-2]]
            if (near_height - height) * (far_x - x) >= (far_height - height) * (near_x - x):
                break
            shape.pop()
        views.append(shape[-1] if shape else -1)
        shape.append(spot)
    return views[::-1]


def naive(spots: list[list[int]]) -> list[int]:
    """Same answers, looking from each spot at all spots further east."""
    views: list[int] = []
    for spot, (x, height) in enumerate(spots):
        view = -1
        rise, run = 0, 0
        for other in range(spot + 1, len(spots)):
            far_x, far_height = spots[other]
            if view < 0 or (far_height - height) * run > rise * (far_x - x):
                view = other
                rise, run = far_height - height, far_x - x
        views.append(view)
    return views


CASES = [
    ([],),
    ([[3, 3]],),
    ([[0, 1], [5, 9]],),
    ([[0, 0], [1, 0], [2, 0]],),
    ([[0, 0], [1, 1], [2, 2], [3, 3]],),
    ([[0, 9], [1, 3], [2, 1], [3, 0]],),
    ([[0, 0], [1, 1], [2, 3], [3, 9]],),
    ([[0, 5], [1, 0], [2, 5]],),
    ([[0, 5], [1, 5], [9, 6], [10, 0], [11, 6]],),
    ([[0, 8], [1, 2], [4, 4], [20, 4], [21, 5]],),
    ([[-9, -1], [-5, -8], [-4, -2], [0, -9], [7, 0]],),
    ([[0, 4], [2, 3], [4, 2], [6, 1], [7, 1]],),
    ([[0, 10], [1, 0], [2, 9], [3, 0], [4, 8], [5, 0], [6, 7]],),
    ([[0, 0], [3, 1], [6, 2], [7, 3], [100, 20], [101, 40]],),
    ([[0, 1], [1, 4], [2, 2], [3, 3], [5, 0], [8, 6], [9, 5], [10, 4]],),
    ([[1000000000, 7], [2000000001, 8], [3000000002, 9], [3000000003, 10]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """A ridge of n spots at uneven distances."""
    rng = random.Random(n * 1009 + seed)
    x = 0
    spots: list[list[int]] = []
    for _ in range(n):
        x += rng.randint(1, 5)
        spots.append([x, rng.randint(-50, 200)])
    return (spots,)


SIZES = (80, 500, 12_000)
GROWTH = {"reference": "n", "naive": "n^2"}
