"""Count the suppers of a club that meets on rare days.

topics: dates, binary search
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date


def club_suppers(day: int, weekday: int, spans: list[str]) -> list[int]:
    """Return for each span of days how many suppers of the club fall into it.

    The club has supper whenever the day of the month is `day` (1 to 31) and, at the same time, the
    day of the week is `weekday` (1 for Monday to 7 for Sunday). A month that is too short for `day`
    has no supper. A span is two dates with a space between them, like "2024-02-01 2024-12-31"; both
    belong to the span, and the later one may stand first. All dates are from 0001-01-01 to
    9999-12-31 in the calendar of today, which is used for all years. Spans may overlap or repeat.
    The counts come in the order of `spans`.

    >>> club_suppers(13, 5, ["2024-01-01 2024-12-31", "2024-12-13 2024-09-13"])
    [2, 2]
    >>> club_suppers(31, 1, ["2023-07-30 2023-07-31", "2023-06-01 2023-06-30"])
    [1, 0]
    """
    ends = [sorted(date.fromisoformat(end) for end in span.split()) for span in spans]
    years = [end.year for pair in ends for end in pair]
    suppers: list[date] = []
    for year in range(min(years, default=1), max(years, default=0) + 1):
        for month in range(1, 13):
            if day <= monthrange(year, month)[1]:
                supper = date(year, month, day)
                if supper.isoweekday() == weekday:
                    suppers.append(supper)
    return [bisect_right(suppers, last) - bisect_left(suppers, first) for first, last in ends]


def naive(day: int, weekday: int, spans: list[str]) -> list[int]:
    """Same answers, walking through the months of each span."""
    counts: list[int] = []
    for span in spans:
        first, last = sorted(date.fromisoformat(end) for end in span.split())
        count = 0
        for months in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
            year, month = months // 12, months % 12 + 1
            if day <= monthrange(year, month)[1]:
                supper = date(year, month, day)
                count += first <= supper <= last and supper.isoweekday() == weekday
        counts.append(count)
    return counts


CASES = [
    (1, 1, []),
    (1, 1, ["2024-01-01 2024-01-01"]),
    (1, 2, ["2024-01-01 2024-01-01"]),
    (13, 5, ["2023-10-13 2023-10-13", "2023-10-14 2024-09-12", "2024-09-13 2023-10-13"]),
    (29, 4, ["2024-02-29 2024-02-29", "2023-02-01 2023-03-01", "2024-02-28 2024-03-01"]),
    (31, 7, ["2024-01-01 2024-12-31", "2023-01-01 2023-12-31"]),
    (30, 2, ["2024-01-31 2024-04-29", "2024-01-30 2024-04-30"]),
    (15, 3, ["2024-12-31 2020-01-01", "2020-01-01 2024-12-31"]),
    (1, 7, ["2025-06-01 2025-06-30", "2025-05-31 2025-06-01", "2025-06-02 2025-08-31"]),
    (29, 1, ["1900-02-01 1900-03-01", "2000-02-01 2000-03-01", "1896-01-01 1904-12-31"]),
    (31, 5, ["9999-12-31 9999-12-31", "9999-12-01 9999-12-30"]),
    (1, 1, ["0001-01-01 0001-12-31", "0001-01-02 0001-12-31"]),
    (5, 6, ["2024-11-24 2026-11-24", "2026-11-24 2024-11-24", "2024-10-05 2024-10-05"]),
    (30, 7, ["1999-02-01 1999-03-31", "1999-02-01 2009-02-28", "2008-11-30 2008-11-30"]),
]


def scaled(n: int, seed: int = 0) -> tuple[int, int, list[str]]:
    """n spans that cover most of about n months."""
    rng = random.Random(n * 1009 + seed)
    years = n // 12 + 1
    spans: list[str] = []
    for _ in range(n):
        first = date(1800 + rng.randint(0, years // 8), rng.randint(1, 12), rng.randint(1, 28))
        last = date(1800 + years - rng.randint(0, years // 8), rng.randint(1, 12), rng.randint(1, 28))
        spans.append(f"{first} {last}" if rng.random() < 0.5 else f"{last} {first}")
    return rng.randint(1, 31), rng.randint(1, 7), spans


SIZES = (60, 400, 4_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
