"""Move market dates off weekends and holidays.

topics: dates, lists
"""

from __future__ import annotations

import random
from datetime import date, timedelta


def market_days(planned: list[str], holidays: list[str]) -> list[date]:
    """Return the day on which each planned market really takes place, in the given order.

    All days are written as YYYY-MM-DD and are valid. A market cannot be held on a Saturday, on a
    Sunday or on a day of `holidays`. A market planned for such a day moves forward to the next
    day on which it can be held; any other market stays where it is. Several markets may end up on
    the same day. Neither list need be sorted, both may hold repeats and both may be empty. No
    planned market gives an empty list.

    >>> market_days(["2024-03-02", "2024-03-05"], [])
    [datetime.date(2024, 3, 4), datetime.date(2024, 3, 5)]
    >>> market_days(["2024-03-07"], ["2024-03-08", "2024-03-07"])
    [datetime.date(2024, 3, 11)]
    """
    closed = set(holidays)
    held: list[date] = []
    for text in planned:
        day = date.fromisoformat(text)
        while day.weekday() >= 5 or day.isoformat() in closed:
            day += timedelta(days=1)
        held.append(day)
    return held


def naive(planned: list[str], holidays: list[str]) -> list[date]:
    """Same answers, looking through the list of holidays for each day."""
    held: list[date] = []
    for text in planned:
        day = date.fromisoformat(text)
        while day.weekday() >= 5 or any(day.isoformat() == holiday for holiday in holidays):
            day += timedelta(days=1)
        held.append(day)
    return held


CASES = [
    ([], []),
    ([], ["2024-03-05"]),
    (["2024-03-05"], []),
    (["2024-03-02"], []),
    (["2024-03-03"], []),
    (["2024-03-04"], ["2024-03-04"]),
    (["2024-03-08"], ["2024-03-08"]),
    (["2024-03-02"], ["2024-03-04", "2024-03-05"]),
    (["2024-03-08"], ["2024-03-12", "2024-03-11", "2024-03-08"]),
    (["2023-12-30", "2023-12-29"], ["2024-01-01"]),
    (["2024-02-28", "2024-02-29"], ["2024-02-29", "2024-02-28"]),
    (["2023-02-28"], ["2023-02-28"]),
    (["2024-03-09", "2024-03-05", "2024-03-09"], ["2024-03-06", "2024-03-06"]),
    (["2025-05-09", "2025-05-02", "2025-05-04"], ["2025-05-05", "2025-05-10"]),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], list[str]]:
    """About n markets and n holidays, spread over 4 n days."""
    rng = random.Random(n * 1009 + seed)
    first = date(1990, 1, 1)
    planned = [(first + timedelta(days=rng.randrange(4 * n))).isoformat() for _ in range(n)]
    holidays = [(first + timedelta(days=rng.randrange(4 * n))).isoformat() for _ in range(n)]
    return planned, holidays


SIZES = (100, 800, 6_000)
GROWTH = {"reference": "n", "naive": "n^2"}
