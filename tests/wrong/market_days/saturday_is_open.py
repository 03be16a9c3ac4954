"""Mistake: only Sunday counts as weekend."""

from __future__ import annotations

from datetime import date, timedelta


def market_days(planned: list[str], holidays: list[str]) -> list[date]:
    held: list[date] = []
    for text in planned:
        day = date.fromisoformat(text)
        while day.weekday() == 6 or day.isoformat() in holidays:
            day += timedelta(days=1)
        held.append(day)
    return held
