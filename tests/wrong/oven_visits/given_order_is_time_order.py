"""Mistake: each entry is compared with the entry before it in the list."""

from __future__ import annotations

from datetime import date


def oven_visits(days: list[str]) -> list[int | None]:
    dates = [date.fromisoformat(day) for day in days]
    gaps: list[int | None] = [None for _ in dates[:1]]
    for spot in range(1, len(dates)):
        gaps.append((dates[spot] - dates[spot - 1]).days)
    return gaps
