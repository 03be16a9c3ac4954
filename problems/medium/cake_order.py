"""Order people by their next birthday.

topics: dates, sorting
"""

from __future__ import annotations

import random
from calendar import isleap
from datetime import date


def cake_order(people: list[str], today: str) -> list[str]:
    """Return the names of all people, those whose birthday comes next first.

    A person is a name without spaces, one space and the date of birth, like "Ida 1990-07-31".
    `today` is a date written in the same way, in the years 1900 to 2100. Only month and day of the
    birth matter. A birthday today is the nearest there is; one that was yesterday is far away, as
    the next comes only in the following year. Those born on February 29 celebrate on March 1 in
    years that have no February 29. People with the same next birthday stay in the order of the
    list. Names may repeat.

    >>> cake_order(["Ida 1990-07-31", "Bo 2001-01-05", "Uma 1984-06-15"], "2023-06-15")
    ['Uma', 'Ida', 'Bo']
    >>> cake_order(["Ann 1999-03-01", "Leo 2000-02-29"], "2024-01-01")
    ['Leo', 'Ann']
    """
    now = date.fromisoformat(today)

    def feast(born: str, year: int) -> date:
        if born.endswith("02-29") and not isleap(year):
            return date(year, 3, 1)
        return date(year, int(born[-5:-3]), int(born[-2:]))

    def upcoming(person: str) -> date:
        day = feast(person, now.year)
        return day if day >= now else feast(person, now.year + 1)

    return [person.split(" ")[0] for person in sorted(people, key=upcoming)]


def naive(people: list[str], today: str) -> list[str]:
    """Same answers, picking the next person out of the rest each time."""
    now = date.fromisoformat(today)
    rest: list[tuple[date, str]] = []
    for person in people:
        name, born = person.split(" ")
        for year in (now.year, now.year + 1):
            leap_day = born[5:] == "02-29" and not isleap(year)
            day = date(year, 3, 1) if leap_day else date(year, int(born[5:7]), int(born[8:]))
            if day >= now:
                rest.append((day, name))
                break
    names: list[str] = []
    while rest:
        best = 0
        for spot, (day, _) in enumerate(rest):
            if day < rest[best][0]:
                best = spot
        names.append(rest.pop(best)[1])
    return names


CASES = [
    ([], "2024-01-01"),
    (["Ann 1990-05-05"], "2024-05-05"),
    (["Ann 1990-05-04", "Ben 1990-05-05", "Cyd 1990-05-06"], "2024-05-05"),
    (["Zoe 1990-05-05", "Ann 1970-05-05", "Mia 2001-05-05"], "2024-05-01"),
    (["Ann 1999-03-01", "Leo 2000-02-29", "Bea 1980-02-28"], "2023-02-01"),
    (["Leo 2000-02-29", "Ann 1999-03-02"], "2023-03-01"),
    (["Ann 1999-03-02", "Leo 2000-02-29"], "2024-03-01"),
    (["Ann 1999-03-01", "Leo 2000-02-29", "Bob 1970-03-01"], "2023-06-01"),
    (["Ann 1999-03-01", "Leo 2000-02-29", "Bob 1970-03-01"], "2022-06-01"),
    (["A 1990-12-31", "B 1990-01-01"], "2024-12-31"),
    (["A 1990-12-30", "B 1990-01-01", "C 1990-06-01"], "2024-12-31"),
    (["Al 1960-10-02", "Al 1970-02-10", "Al 1980-10-02"], "2000-02-11"),
    (["Old 1900-11-11", "New 2100-11-10", "Mid 2000-02-29"], "2100-02-28"),
    (["P 2012-02-29", "Q 2016-02-29", "R 1991-02-28"], "2024-02-29"),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], str]:
    """n people born on any day of 120 years."""
    rng = random.Random(n * 1009 + seed)
    start = date(1900, 1, 1).toordinal()
    people = [f"p{rng.randrange(n)} {date.fromordinal(start + rng.randrange(43_800)).isoformat()}" for _ in range(n)]
    return people, date.fromordinal(start + rng.randrange(36_500, 43_800)).isoformat()


SIZES = (100, 800, 6_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
