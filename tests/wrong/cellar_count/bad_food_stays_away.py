"""Mistake: a food that went off once is never counted again."""

from __future__ import annotations


def cellar_count(notes: list[dict[str, int]]) -> dict[str, int]:
    jars: dict[str, int] = {}
    bad: set[str] = set()
    for note in notes:
        for food, change in note.items():
            if not change:
                bad.add(food)
            jars[food] = max(0, jars.get(food, 0) + change)
    return {food: count for food, count in jars.items() if count and food not in bad}
