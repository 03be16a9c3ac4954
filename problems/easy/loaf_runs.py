"""Find the neighbouring loaves that fill a basket.

topics: lists, prefix sums
"""

from __future__ import annotations

import random
from itertools import accumulate


def loaf_runs(loaves: list[int], size: int, least: int) -> list[int]:
    """Return the positions where a run of neighbouring loaves is heavy enough.

    `loaves` holds the weights of loaves on a belt, whole numbers of 0 or more. A run is exactly
    `size` loaves that lie directly one after another; `size` is 1 or more. A run is heavy enough
    if its weights add up to `least` or more. Return the position of the first loaf of each such
    run, counted from 0, in rising order. Runs may overlap, and each one counts. If there are
    fewer than `size` loaves, there is no run and the list is empty. `least` may be zero or
    negative; then every run is heavy enough.

    >>> loaf_runs([4, 1, 3, 5, 0], 2, 5)
    [0, 2, 3]
    >>> loaf_runs([4, 1], 3, 0)
    []
    """
    totals = list(accumulate(loaves, initial=0))
    runs = enumerate(zip(totals, totals[size:], strict=False))
    return [start for start, (before, after) in runs if after - before >= least]


def naive(loaves: list[int], size: int, least: int) -> list[int]:
    """Same answers, adding up each run from the start."""
    starts: list[int] = []
    for start in range(len(loaves) - size + 1):
        total = 0
        for spot in range(start, start + size):
            total += loaves[spot]
        if total >= least:
            starts.append(start)
    return starts


CASES = [
    ([], 1, 0),
    ([3], 1, 3),
    ([3], 1, 4),
    ([3], 2, 0),
    ([4, 1, 3, 5, 0], 2, 5),
    ([4, 1, 3, 5, 0], 2, 4),
    ([4, 1, 3, 5, 0], 5, 13),
    ([4, 1, 3, 5, 0], 5, 14),
    ([4, 1, 3, 5, 0], 6, 1),
    ([0, 0, 0], 2, 0),
    ([0, 0, 0], 2, -3),
    ([0, 0, 0], 1, 1),
    ([7, 7, 7, 7], 3, 21),
    ([9, 0, 0, 9, 0, 0, 9], 3, 9),
    ([1, 2, 3, 4, 5, 6], 1, 4),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int, int]:
    """n loaves and runs of half of them."""
    rng = random.Random(n * 1009 + seed)
    size = n // 2 + 1
    return [rng.randint(0, 900) for _ in range(n)], size, 450 * size


SIZES = (200, 2_000, 20_000)
GROWTH = {"reference": "n", "naive": "n^2"}
