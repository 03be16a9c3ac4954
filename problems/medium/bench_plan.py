"""Give every park visitor a bench.

topics: intervals, heaps
"""

from __future__ import annotations

import random
from heapq import heappop, heappush


def bench_plan(visits: list[list[int]]) -> list[int]:
    """Return for each visit the number of its bench, in the order of `visits`.

    A visit [come, go] is a list of two whole minutes, `come` smaller than `go`. Visits are in any
    order and may repeat. The bench is taken from minute `come` on; at minute `go` it is free
    again, so the next visitor may come in that very minute. Two visits that overlap need different
    benches. As few benches as possible are used, and they are numbered from 1 without gaps. If
    several plans use equally few benches, any of them is right. No visits give an empty list.

    >>> bench_plan([[5, 9], [9, 12]])
    [1, 1]
    >>> len(set(bench_plan([[0, 4], [3, 8], [4, 6]])))
    2
    """
    plan = [0] * len(visits)
    benches: list[tuple[int, int]] = []
    for spot in sorted(range(len(visits)), key=visits.__getitem__):
        come, go = visits[spot]
        bench = len(benches) + 1
        if benches and benches[0][0] <= come:
            bench = heappop(benches)[1]
        heappush(benches, (go, bench))
        plan[spot] = bench
    return plan


def naive(visits: list[list[int]]) -> list[int]:
    """Equally good answers, looking for a free bench one after another."""
    plan = [0] * len(visits)
    ends: list[int] = []
    for spot in sorted(range(len(visits)), key=visits.__getitem__):
        come, go = visits[spot]
        bench = 0
        while bench < len(ends) and ends[bench] > come:
            bench += 1
        ends[bench : bench + 1] = [go]
        plan[spot] = bench + 1
    return plan


CASES = [
    ([],),
    ([[3, 7]],),
    ([[3, 7], [3, 7]],),
    ([[3, 7], [7, 9]],),
    ([[7, 9], [3, 7]],),
    ([[1, 10], [2, 3], [3, 4], [4, 5]],),
    ([[0, 4], [3, 8], [4, 6]],),
    ([[5, 6], [0, 9], [1, 2], [2, 5], [1, 7]],),
    ([[0, 2], [0, 2], [0, 2], [2, 4], [2, 4], [2, 4]],),
    ([[-10, -5], [-7, 0], [-5, 3], [0, 1]],),
    ([[8, 9], [6, 9], [4, 9], [2, 9], [0, 9]],),
    ([[0, 5], [1, 3], [3, 6], [5, 8], [6, 7], [2, 4]],),
    ([[0, 10], [0, 1], [1, 2], [9, 11], [10, 12], [11, 13]],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[int]]]:
    """n visits, about half of them at the same time."""
    rng = random.Random(n * 1009 + seed)
    visits: list[list[int]] = []
    for _ in range(n):
        come = rng.randint(0, 3 * n)
        visits.append([come, come + rng.randint(1, 6 * n)])
    return (visits,)


SIZES = (100, 800, 5_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}


def accept(inputs: tuple, output: object, expected: object) -> bool:
    (visits,) = inputs
    if not isinstance(output, list) or not isinstance(expected, list) or len(output) != len(visits):
        return False
    if any(type(bench) is not int for bench in output):
        return False
    if set(output) != set(range(1, max(expected, default=0) + 1)):
        return False
    free: dict[int, int] = {}
    for (come, go), bench in sorted(zip(visits, output, strict=True)):
        if free.get(bench, come) > come:
            return False
        free[bench] = go
    return True
