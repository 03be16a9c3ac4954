"""Mistake: foods without jars stay in the result."""

from __future__ import annotations


def cellar_count(notes: list[dict[str, int]]) -> dict[str, int]:
    jars: dict[str, int] = {}
    for note in notes:
        for food, change in note.items():
            jars[food] = max(0, jars.get(food, 0) + change) if change else 0
    return jars
