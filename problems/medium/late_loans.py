"""Count the open days by which borrowed things came back late.

topics: dates, searching
"""

from __future__ import annotations

import random
from bisect import bisect_right
from datetime import date


def late_loans(loans: list[list[str]], closed: list[str]) -> list[int]:
    """Return for each loan by how many open days it came back late.

    A loan is a list of two dates written like "2024-03-09": the day it was due and the day it was
    returned. Its late days are the open days after the due day, up to and including the day of
    return. A loan returned on its due day or earlier has 0 late days. The shop is closed on every
    Sunday and on all days in `closed`; these are in any order and may hold repeats and Sundays.
    All other days are open days. The result has one number per loan, in the same order.

    >>> late_loans([["2024-03-08", "2024-03-12"]], [])
    [3]
    >>> late_loans([["2024-03-08", "2024-03-12"], ["2024-03-08", "2024-03-01"]], ["2024-03-11"])
    [2, 0]
    """
    # Day 1 of the calendar is a Monday, so Sundays are the multiples of 7.
    shut = sorted({date.fromisoformat(day).toordinal() for day in closed})
    shut = [day for day in shut if day % 7 != 0]
    late: list[int] = []
    for due, back in loans:
        first = date.fromisoformat(due).toordinal()
        last = date.fromisoformat(back).toordinal()
        sundays = last // 7 - first // 7
        others = bisect_right(shut, last) - bisect_right(shut, first)
        late.append(max(last - first - sundays - others, 0))
    return late


def naive(loans: list[list[str]], closed: list[str]) -> list[int]:
    """Same answers, looking at all closed days for each loan."""
    shut = {date.fromisoformat(day).toordinal() for day in closed}
    late: list[int] = []
    for due, back in loans:
        first = date.fromisoformat(due).toordinal()
        last = date.fromisoformat(back).toordinal()
        days = last - first - (last // 7 - first // 7)
        for day in shut:
            if first < day <= last and day % 7 != 0:
                days -= 1
        late.append(max(days, 0))
    return late


CASES = [
    ([], []),
    ([], ["2024-05-01"]),
    ([["2024-05-01", "2024-05-01"]], []),
    ([["2024-05-10", "2024-05-01"]], ["2024-05-03", "2024-05-06"]),
    ([["2024-05-04", "2024-05-05"]], []),
    ([["2024-05-05", "2024-05-06"]], []),
    ([["2024-05-06", "2024-05-07"]], ["2024-05-06"]),
    ([["2024-05-06", "2024-05-07"]], ["2024-05-07"]),
    ([["2024-05-06", "2024-05-10"]], ["2024-05-08", "2024-05-08", "2024-05-08"]),
    ([["2024-05-03", "2024-05-07"]], ["2024-05-05", "2024-05-06"]),
    ([["2024-02-27", "2024-03-01"], ["2023-02-27", "2023-03-01"]], []),
    ([["2023-12-29", "2024-01-03"]], ["2024-01-01", "2023-12-25"]),
    ([["2020-01-01", "2024-01-01"], ["2024-01-02", "2024-01-03"]], ["2022-06-07", "2021-01-01", "2024-01-04"]),
    ([["2024-05-06", "2024-05-08"], ["2024-05-06", "2024-05-08"]], ["2024-05-09", "2024-05-06"]),
]


def scaled(n: int, seed: int = 0) -> tuple[list[list[str]], list[str]]:
    """n loans and n closed days within forty years."""
    rng = random.Random(n * 1009 + seed)
    start = date(1980, 1, 1).toordinal()
    closed = [date.fromordinal(start + rng.randrange(14_600)).isoformat() for _ in range(n)]
    loans: list[list[str]] = []
    for _ in range(n):
        due = start + rng.randrange(14_000)
        back = due + rng.randint(-20, 600)
        loans.append([date.fromordinal(due).isoformat(), date.fromordinal(back).isoformat()])
    return loans, closed


SIZES = (100, 800, 6_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
