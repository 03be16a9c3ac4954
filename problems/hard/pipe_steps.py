"""Choose pipes for an organ that rises in clear steps.

topics: dynamic programming, binary search
"""

from __future__ import annotations

import random
from bisect import bisect_right
from itertools import pairwise


def pipe_steps(lengths: list[int], gap: int) -> list[int]:
    """Return the positions of as many pipes as possible that rise in steps of `gap` or more.

    The pipes lie in a row; `lengths` holds their lengths from left to right, whole numbers that may
    repeat or be negative (measured from a mark). Choose pipes and keep their order so that each
    chosen pipe is at least `gap` longer than the chosen pipe just before it; `gap` is 0 or more.
    Return the positions of the chosen pipes, counted from 0, in increasing order. If several
    choices have the largest number of pipes, any of them is right. Without pipes, return [].

    >>> pipe_steps([1, 6, 3, 5], 2)
    [0, 2, 3]
    >>> pipe_steps([4, 4, 4], 0)
    [0, 1, 2]
    """
    ends: list[int] = []  # the shortest last pipe of a choice of 1, 2, ... pipes
    last: list[int] = []  # its position
    before = [-1] * len(lengths)
    for spot, length in enumerate(lengths):
        size = bisect_right(ends, length - gap)
        if size:
            before[spot] = last[size - 1]
        if size == len(ends):
            ends.append(length)
            last.append(spot)
        elif length < ends[size]:
            ends[size] = length
            last[size] = spot
    chosen: list[int] = []
    spot = last[-1] if last else -1
    while spot >= 0:
        chosen.append(spot)
        spot = before[spot]
    return chosen[::-1]


def naive(lengths: list[int], gap: int) -> list[int]:
    """Equally good answers, trying every earlier pipe before each pipe."""
    most = [1] * len(lengths)
    before = [-1] * len(lengths)
    for spot, length in enumerate(lengths):
        for earlier in range(spot):
            if lengths[earlier] + gap <= length and most[earlier] >= most[spot]:
                most[spot] = most[earlier] + 1
                before[spot] = earlier
    chosen: list[int] = []
    spot = most.index(max(most)) if most else -1
    while spot >= 0:
        chosen.append(spot)
        spot = before[spot]
    return chosen[::-1]


def accept(inputs: tuple[list[int], int], output: object, expected: object) -> bool:
    """Any choice that rises in allowed steps and has as many pipes as the reference's."""
    lengths, gap = inputs
    if not isinstance(output, list) or not isinstance(expected, list) or len(output) != len(expected):
        return False
    if any(type(spot) is not int or not 0 <= spot < len(lengths) for spot in output):
        return False
    return all(one < two and lengths[one] + gap <= lengths[two] for one, two in pairwise(output))


CASES = [
    ([], 2),
    ([7], 0),
    ([7], 9),
    ([1, 2], 1),
    ([1, 2], 2),
    ([3, 3, 3], 0),
    ([3, 3, 3], 1),
    ([5, 4, 3, 2], 0),
    ([1, 3, 4, 5, 6], 2),
    ([0, 3, 4, 5, 6, 7], 3),
    ([10, 12, 11, 14, 13, 15], 2),
    ([2, 9, 3, 8, 5, 7, 9], 3),
    ([-9, -4, -6, 0, -2, 5], 4),
    ([1, 100, 2, 3, 101, 4, 102, 5], 1),
    ([6, 1, 5, 2, 4, 3, 9, 5, 8, 7, 11], 2),
    ([1, 4, 3, 6, 5, 8, 7, 10], 3),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """n pipes that get longer on the whole."""
    rng = random.Random(n * 1009 + seed)
    return [spot + rng.randint(0, n // 4 + 3) for spot in range(n)], 3


SIZES = (80, 500, 20_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
