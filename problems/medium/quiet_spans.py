"""Find the quiet spans between the noises of a day.

topics: intervals, sorting
"""

from __future__ import annotations

import random


def quiet_spans(noises: list[list[int]], opening: int, closing: int, least: int) -> list[list[int]]:
    """Return the quiet spans between opening and closing as lists [from, to], earliest first.

    All times are whole minutes. A noise [from, to] has `from` smaller than `to` and lasts from the
    one to the other. Noises come in any order, may overlap, touch or repeat, and may lie partly or
    wholly before `opening` or after `closing`; `opening` is at most `closing`. A quiet span lies
    between opening and closing, has no noise in it and is as long as possible, so it reaches to
    the next noise, to opening or to closing. Only spans of at least `least` minutes are returned;
    `least` is 1 or more.

    >>> quiet_spans([[30, 40], [10, 20]], 0, 60, 1)
    [[0, 10], [20, 30], [40, 60]]
    >>> quiet_spans([[10, 25], [20, 50]], 0, 60, 11)
    []
    """
    quiet: list[list[int]] = []
    free = opening
    for start, end in [*sorted(noises), [closing, closing]]:
        stop = min(start, closing)
        if stop - free >= least:
            quiet.append([free, stop])
        free = max(free, end)
    return quiet


def naive(noises: list[list[int]], opening: int, closing: int, least: int) -> list[list[int]]:
    """Same answers, asking all noises again after each span."""
    quiet: list[list[int]] = []
    free = opening
    while free < closing:
        stop = closing
        end = 0
        for noise in noises:
            if noise[0] <= free < noise[1]:
                end = max(end, noise[1]) if stop == free else noise[1]
                stop = free
            elif free < noise[0] < stop:
                stop = noise[0]
        if stop - free >= least:
            quiet.append([free, stop])
        free = end if stop == free else stop
    return quiet


CASES = [
    ([], 0, 0, 1),
    ([], 540, 600, 60),
    ([], 540, 600, 61),
    ([[0, 10]], 0, 10, 1),
    ([[-5, 20]], 0, 10, 1),
    ([[10, 20]], 0, 10, 1),
    ([[-9, 0]], 0, 10, 10),
    ([[12, 15], [20, 30], [-8, -3]], 0, 10, 1),
    ([[3, 4], [1, 2]], 0, 5, 1),
    ([[2, 4], [4, 6]], 0, 8, 1),
    ([[1, 9], [2, 3]], 0, 12, 1),
    ([[2, 5], [2, 5], [2, 3], [2, 7]], 0, 9, 2),
    ([[5, 8], [20, 22], [8, 10], [21, 30], [13, 15]], 3, 33, 3),
    ([[-20, -12], [-11, -5], [3, 8]], -15, 5, 1),
    ([[90, 100], [10, 20], [50, 60], [40, 95]], 15, 95, 20),
    ([[8, 30], [1, 3]], 5, 20, 3),
    ([[4, 6]], 0, 10, 4),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]], int, int, int]:
    """n noises, most of them with a quiet span behind."""
    rng = random.Random(n * 1009 + seed)
    noises: list[list[int]] = []
    for _ in range(n):
        start = rng.randrange(30 * n)
        noises.append([start, start + rng.randint(1, 20)])
    return noises, 5 * n, 28 * n, rng.randint(1, 3)


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
