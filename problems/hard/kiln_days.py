"""Plan the hot days of a kiln.

topics: dynamic programming
"""

from __future__ import annotations

import random
from collections import deque


def kiln_days(gains: list[int], limit: int, fee: int) -> int:
    """Return the largest amount that a potter can earn with her kiln.

    On each day the kiln is either hot or cold. A hot day earns that day's number in `gains`, which
    may be negative; a cold day earns nothing. The kiln may be hot on at most `limit` days in a row;
    after that it must be cold for at least one day. Each time it turns hot, that is on a hot day
    that is the first of all or follows a cold day, `fee` is paid once. `limit` and `fee` are 0 or
    more; with `limit` 0 the kiln stays cold. All days may be cold, and there may be no days.

    >>> kiln_days([5, 1, 6, 2], 2, 0)
    13
    >>> kiln_days([4, -1, 4], 3, 2)
    5
    """
    starts = deque([(-1, 0)])  # cold days, each with the best amount before it less all gains up to it
    best = total = 0
    for day, gain in enumerate([*gains, 0]):
        while starts[0][0] < day - 1 - limit:
            starts.popleft()
        best = max(best, starts[0][1] + total - fee)
        total += gain
        while starts and starts[-1][1] <= best - total:
            starts.pop()
        starts.append((day, best - total))
    return best


def naive(gains: list[int], limit: int, fee: int) -> int:
    """Same answers, trying for each cold day every cold day before it."""
    best = [0]
    for day in range(len(gains) + 1):
        amount = best[-1]
        earned = -fee
        for hot in range(day - 1, max(day - 1 - limit, -1), -1):
            earned += gains[hot]
            amount = max(amount, best[hot] + earned)
        best.append(amount)
    return best[-1]


CASES = [
    ([], 3, 1),
    ([5], 0, 0),
    ([5], 1, 0),
    ([5], 1, 5),
    ([5], 1, 7),
    ([-3, -1], 2, 0),
    ([3, 3, 3], 9, 2),
    ([3, 3, 3], 1, 2),
    ([5, -1, 5], 5, 3),
    ([5, -4, 5], 5, 3),
    ([5, -3, 5], 2, 3),
    ([1, 9, 9, 1, 1, 9], 2, 1),
    ([4, 4, 4, 4, 4, 4], 3, 1),
    ([9, 1, 9, 1, 9], 2, 4),
    ([2, 7, -2, 7, 7, 3, -9, 8, 0, 4], 3, 3),
    ([6, 6, 6, 6, 6, 6, 6], 2, 11),
    ([10, -1, -1, -1, 10], 4, 3),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int, int]:
    """n days, a third of which the kiln may be hot in a row."""
    rng = random.Random(n * 1009 + seed)
    return [rng.randint(-8, 20) for _ in range(n)], n // 3 + 1, rng.randint(0, 15)


SIZES = (80, 600, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
