"""Mistake: all months are taken to have 30 days."""

from __future__ import annotations


def oven_visits(days: list[str]) -> list[int | None]:
    def number(day: str) -> int:
        year, month, of_month = map(int, day.split("-"))
        return year * 365 + month * 30 + of_month

    gaps: list[int | None] = []
    for day in days:
        gaps.append(min((number(day) - number(other) for other in days if other < day), default=None))
    return gaps
