"""Mistake: a span with the later date first is empty."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import monthrange
from datetime import date


def club_suppers(day: int, weekday: int, spans: list[str]) -> list[int]:
    ends = [[date.fromisoformat(end) for end in span.split()] for span in spans]
    years = [end.year for pair in ends for end in pair]
    suppers: list[date] = []
    for year in range(min(years, default=1), max(years, default=0) + 1):
        for month in range(1, 13):
            if day <= monthrange(year, month)[1]:
                supper = date(year, month, day)
                if supper.isoweekday() == weekday:
                    suppers.append(supper)
    return [0 if last < first else bisect_right(suppers, last) - bisect_left(suppers, first) for first, last in ends]
