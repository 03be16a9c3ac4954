"""Mistake: a loan returned early gets a negative number."""

from __future__ import annotations

from bisect import bisect_right
from datetime import date


def late_loans(loans: list[list[str]], closed: list[str]) -> list[int]:
    # Day 1 of the calendar is a Monday, so Sundays are the multiples of 7.
    shut = sorted({date.fromisoformat(day).toordinal() for day in closed})
    shut = [day for day in shut if day % 7 != 0]
    late: list[int] = []
    for due, back in loans:
        first = date.fromisoformat(due).toordinal()
        last = date.fromisoformat(back).toordinal()
        sundays = last // 7 - first // 7
        others = bisect_right(shut, last) - bisect_right(shut, first)
        late.append(last - first - sundays - others)
    return late
