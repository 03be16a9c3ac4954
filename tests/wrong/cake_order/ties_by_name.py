"""Mistake: people with the same next birthday are ordered by name."""

from __future__ import annotations

from calendar import isleap
from datetime import date


def cake_order(people: list[str], today: str) -> list[str]:
    now = date.fromisoformat(today)

    def feast(born: str, year: int) -> date:
        if born.endswith("02-29") and not isleap(year):
            return date(year, 3, 1)
        return date(year, int(born[-5:-3]), int(born[-2:]))

    def upcoming(person: str) -> date:
        day = feast(person, now.year)
        return day if day >= now else feast(person, now.year + 1)

    return [person.split(" ")[0] for person in sorted(sorted(people), key=upcoming)]
