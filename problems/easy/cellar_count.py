"""Add up the jars of a cellar from its notes.

topics: dictionaries, counting
"""

from __future__ import annotations

import random


def cellar_count(notes: list[dict[str, int]]) -> dict[str, int]:
    """Return how many jars of each food stand in the cellar after all notes.

    The cellar starts empty. The notes are handled one by one, in order; each maps names of foods
    to whole numbers. A positive number brings that many jars. A negative number takes jars away,
    but never more than are there, so no food drops below zero. The number 0 means that the food
    has gone off: all its jars so far are thrown away. Other foods are not touched. The result
    holds only foods with at least one jar left. No notes, or only empty ones, give an empty
    dictionary. The notes must not be changed.

    >>> cellar_count([{"plum": 4, "pea": 2}, {"plum": -1, "pea": 0}, {"pea": 3}])
    {'plum': 3, 'pea': 3}
    >>> cellar_count([{"fig": -2}, {"fig": 1}, {"fig": -5}])
    {}
    """
    jars: dict[str, int] = {}
    for note in notes:
        for food, change in note.items():
            jars[food] = max(0, jars.get(food, 0) + change) if change else 0
    return {food: count for food, count in jars.items() if count}


def naive(notes: list[dict[str, int]]) -> dict[str, int]:
    """Same answers, reading all notes again for each food."""
    jars: dict[str, int] = {}
    for food in {food for note in notes for food in note}:
        count = 0
        for note in notes:
            if food in note:
                count = max(0, count + note[food]) if note[food] else 0
        if count:
            jars[food] = count
    return jars


CASES = [
    ([],),
    ([{}],),
    ([{"plum": 3}],),
    ([{"plum": 0}],),
    ([{"plum": -3}],),
    ([{"plum": -3}, {"plum": 2}],),
    ([{"plum": 2}, {"plum": 2}],),
    ([{"plum": 5}, {"plum": 0}],),
    ([{"plum": 5}, {"plum": 0}, {"plum": 1}],),
    ([{"plum": 5}, {"plum": -7}, {"plum": 4}],),
    ([{"plum": 5}, {"plum": -5}, {}],),
    ([{"pea": 1, "Pea": 2}, {"pea": 0, "fig": 3}],),
    ([{"a": 1, "b": 2, "c": 3}, {"c": -1, "b": -2}, {"a": 6, "b": 1}],),
    ([{"": 2}, {" ": 1}, {"": -1}],),
    ([{"jam": 9}, {"ham": 9}, {"jam": -4, "ham": 0}, {"jam": -6}],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[dict[str, int]]]:
    """n notes of two foods each, n / 2 foods in all."""
    rng = random.Random(n * 1009 + seed)
    kinds = n // 2 + 1
    return ([{f"food {rng.randrange(kinds)}": rng.randint(-4, 9) for _ in range(2)} for _ in range(n)],)


SIZES = (100, 700, 6_000)
GROWTH = {"reference": "n", "naive": "n^2"}
