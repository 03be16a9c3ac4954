"""Mistake: the days are sorted and repeats dropped."""

from __future__ import annotations

from datetime import date, timedelta


def market_days(planned: list[str], holidays: list[str]) -> list[date]:
    held: set[date] = set()
    for text in planned:
        day = date.fromisoformat(text)
        while day.weekday() >= 5 or day.isoformat() in holidays:
            day += timedelta(days=1)
        held.add(day)
    return sorted(held)
