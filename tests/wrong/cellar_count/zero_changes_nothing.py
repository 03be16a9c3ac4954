"""Mistake: the number 0 is added like any other."""

from __future__ import annotations


def cellar_count(notes: list[dict[str, int]]) -> dict[str, int]:
    jars: dict[str, int] = {}
    for note in notes:
        for food, change in note.items():
            jars[food] = max(0, jars.get(food, 0) + change)
    return {food: count for food, count in jars.items() if count}
