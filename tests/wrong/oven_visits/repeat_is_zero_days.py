"""Mistake: a second visit on the same date gets 0."""

from __future__ import annotations

from datetime import date


def oven_visits(days: list[str]) -> list[int | None]:
    dates = [date.fromisoformat(day) for day in days]
    gaps: list[int | None] = []
    for spot, day in enumerate(dates):
        others = dates[:spot] + dates[spot + 1 :]
        gaps.append(min(((day - other).days for other in others if other <= day), default=None))
    return gaps
