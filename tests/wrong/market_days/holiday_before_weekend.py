"""Mistake: a holiday is skipped first and the weekend after it only once."""

from __future__ import annotations

from datetime import date, timedelta


def market_days(planned: list[str], holidays: list[str]) -> list[date]:
    held: list[date] = []
    for text in planned:
        day = date.fromisoformat(text)
        while day.isoformat() in holidays:
            day += timedelta(days=1)
        while day.weekday() >= 5:
            day += timedelta(days=1)
        held.append(day)
    return held
