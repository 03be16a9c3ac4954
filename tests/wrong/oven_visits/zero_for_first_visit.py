"""Mistake: the first visit gets 0 instead of None."""

from __future__ import annotations

from datetime import date


def oven_visits(days: list[str]) -> list[int | None]:
    dates = [date.fromisoformat(day) for day in days]
    return [min(((day - other).days for other in dates if other < day), default=0) for day in dates]
