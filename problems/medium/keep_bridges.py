"""Choose the rope bridges that stay up in winter.

topics: graphs
"""

from __future__ import annotations

import random
from itertools import pairwise


def keep_bridges(islands: int, bridges: list[list[int]]) -> list[int]:
    """Return the positions in `bridges` of the rope bridges that stay up in winter.

    The islands are numbered 0 to `islands` - 1. Each bridge is a list of the two islands that it
    joins; it can be walked both ways. Bridges may repeat, and both ends may be the same island.
    As few bridges as possible shall stay up, but so that any two different islands that could be
    reached from each other before, over one or more bridges, still can. The positions count from 0 and are returned
    in increasing order. If several choices are equally small, any of them is right. There may be
    no islands at all, and then there are no bridges.

    >>> keep_bridges(3, [[0, 1], [1, 2]])
    [0, 1]
    >>> keep_bridges(4, [[2, 2], [3, 0]])
    [1]
    """
    boss = list(range(islands))
    kept: list[int] = []
    for spot, (one, two) in enumerate(bridges):
        while boss[one] != one:
            boss[one] = boss[boss[one]]
            one = boss[one]
        while boss[two] != two:
            boss[two] = boss[boss[two]]
            two = boss[two]
        if one != two:
            boss[one] = two
            kept.append(spot)
    return kept


def naive(islands: int, bridges: list[list[int]]) -> list[int]:
    """Equally good answers, renaming a whole group of islands for each bridge kept."""
    group = list(range(islands))
    kept: list[int] = []
    for spot, (one, two) in enumerate(bridges):
        old, new = group[one], group[two]
        if old != new:
            kept.append(spot)
            for island in range(islands):
                if group[island] == old:
                    group[island] = new
    return kept


CASES = [
    (0, []),
    (1, []),
    (1, [[0, 0]]),
    (2, []),
    (2, [[0, 1]]),
    (2, [[0, 1], [1, 0], [0, 1]]),
    (3, [[0, 1], [1, 2], [2, 0]]),
    (4, [[0, 1], [2, 3], [1, 0], [3, 2]]),
    (5, [[4, 3], [3, 2], [2, 1], [1, 0], [0, 4], [4, 2]]),
    (5, [[0, 1], [2, 3], [4, 4], [1, 2], [0, 3]]),
    (6, [[0, 1], [2, 3], [4, 5], [1, 3], [3, 5], [5, 1], [0, 4]]),
    (4, [[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]),
    (7, [[6, 0], [5, 1], [1, 6], [0, 5], [2, 4], [4, 2]]),
]


def scaled(n: int, seed: int = 0) -> tuple[int, list[list[int]]]:
    """n islands and 2 n bridges, so that almost all islands hang together."""
    rng = random.Random(n * 1009 + seed)
    bridges = [[rng.randrange(n), rng.randrange(n)] for _ in range(2 * n)]
    return n, bridges


SIZES = (100, 800, 5_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}


def accept(inputs: tuple, output: object, expected: object) -> bool:
    islands, bridges = inputs
    if not isinstance(output, list) or not isinstance(expected, list) or len(output) != len(expected):
        return False
    if any(type(spot) is not int or not 0 <= spot < len(bridges) for spot in output):
        return False
    if any(one >= two for one, two in pairwise(output)):
        return False
    # As many bridges as the reference keeps and no round trip: then they reach all that can be reached.
    boss = list(range(islands))
    for spot in output:
        one, two = bridges[spot]
        while boss[one] != one:
            boss[one] = boss[boss[one]]
            one = boss[one]
        while boss[two] != two:
            boss[two] = boss[boss[two]]
            two = boss[two]
        if one == two:
            return False
        boss[one] = two
    return True
