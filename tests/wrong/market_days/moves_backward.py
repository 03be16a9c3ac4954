"""Mistake: a market moves back to the last open day instead of forward."""

from __future__ import annotations

from datetime import date, timedelta


def market_days(planned: list[str], holidays: list[str]) -> list[date]:
    held: list[date] = []
    for text in planned:
        day = date.fromisoformat(text)
        while day.weekday() >= 5 or day.isoformat() in holidays:
            day -= timedelta(days=1)
        held.append(day)
    return held
