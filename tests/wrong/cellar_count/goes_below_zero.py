"""Mistake: a food may drop below zero in between."""

from __future__ import annotations


def cellar_count(notes: list[dict[str, int]]) -> dict[str, int]:
    jars: dict[str, int] = {}
    for note in notes:
        for food, change in note.items():
            jars[food] = jars.get(food, 0) + change if change else 0
    return {food: count for food, count in jars.items() if count > 0}
