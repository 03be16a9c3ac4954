"""Mistake: steps may also be diagonal."""

from __future__ import annotations


def quiet_desks(plan: list[str]) -> list[list[int]]:
    marks = {(row, column): mark for row, line in enumerate(plan) for column, mark in enumerate(line)}
    steps = {place: 0 for place, mark in marks.items() if mark == "P"}
    queue = list(steps)
    for row, column in queue:
        for place in (
            (row - 1, column),
            (row + 1, column),
            (row, column - 1),
            (row, column + 1),
            (row - 1, column - 1),
            (row - 1, column + 1),
            (row + 1, column - 1),
            (row + 1, column + 1),
        ):
            if place not in steps and marks.get(place, "#") != "#":
                steps[place] = steps[row, column] + 1
                queue.append(place)
    ways = {place: steps.get(place, len(marks)) for place, mark in marks.items() if mark == "D"}
    longest = max(ways.values(), default=0)
    return [list(place) for place, way in ways.items() if way == longest]
