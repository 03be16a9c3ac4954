"""Count the days between the sweep's visits to an oven.

topics: dates, sorting
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import pairwise


def oven_visits(days: list[str]) -> list[int | None]:
    """Return for each entry how many days after the visit before it took place.

    `days` holds the dates on which the sweep cleaned a bakery oven, written as YYYY-MM-DD, in any
    order and possibly with repeats. The result has one item for each entry, in the given order:
    the number of days from the latest strictly earlier date in the list to the entry's own date.
    It is None where no date in the list is earlier. Entries with the same date get the same item.
    An empty list gives an empty list.

    >>> oven_visits(["2024-03-01", "2024-02-28", "2024-03-01"])
    [2, None, 2]
    >>> oven_visits(["2023-01-05"])
    [None]
    """
    order = sorted({date.fromisoformat(day) for day in days})
    gaps: dict[str, int] = {}
    for earlier, later in pairwise(order):
        gaps[later.isoformat()] = (later - earlier).days
    return [gaps.get(day) for day in days]


def naive(days: list[str]) -> list[int | None]:
    """Same answers, searching the earlier dates for each entry."""
    dates = [date.fromisoformat(day) for day in days]
    gaps: list[int | None] = []
    for day in dates:
        before = [(day - other).days for other in dates if other < day]
        gaps.append(min(before, default=None))
    return gaps


CASES = [
    ([],),
    (["2024-05-05"],),
    (["2024-05-05", "2024-05-05"],),
    (["2024-05-05", "2024-05-06"],),
    (["2024-05-06", "2024-05-05"],),
    (["2024-02-28", "2024-03-01"],),
    (["2023-02-28", "2023-03-01"],),
    (["1900-02-28", "1900-03-01", "2000-02-28", "2000-03-01"],),
    (["2023-12-31", "2024-01-01", "2024-12-31"],),
    (["2024-03-10", "2024-03-01", "2024-03-05", "2024-03-10"],),
    (["2024-07-03", "2024-07-03", "2024-07-01", "2024-07-01"],),
    (["2021-06-30", "2020-06-30", "2019-06-30"],),
    (["0999-12-31", "1000-01-01", "0001-01-01"],),
    (["2024-10-09", "2024-09-10", "2024-11-08", "2024-08-11"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n visits within 3 n days, some on the same day."""
    rng = random.Random(n * 1009 + seed)
    first = date(1980, 1, 1)
    return ([(first + timedelta(days=rng.randrange(3 * n))).isoformat() for _ in range(n)],)


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
