"""Find the desks that are furthest from a printer.

topics: graphs, grids
"""

from __future__ import annotations

import random
from math import isqrt


def quiet_desks(plan: list[str]) -> list[list[int]]:
    """Return the places of the desks that have the longest way to a printer.

    The rows of `plan` are equally long strings: "#" is a wall, "P" a printer, "D" a desk and "."
    bare floor. One step leads up, down, left or right to a place inside the plan that is no wall;
    desks and printers can be walked over. The way of a desk is the smallest number of steps to any
    printer. A desk that can reach no printer has a longer way than every desk that can. Return all
    desks whose way is the longest, each as [row, column] counted from 0, from top to bottom and
    from left to right in a row. The plan may be empty or have no desks: return [].

    >>> quiet_desks(["PD.", "#D#"])
    [[1, 1]]
    >>> quiet_desks(["D#P", "D#D"])
    [[0, 0], [1, 0]]
    """
    marks = {(row, column): mark for row, line in enumerate(plan) for column, mark in enumerate(line)}
    steps = {place: 0 for place, mark in marks.items() if mark == "P"}
    queue = list(steps)
    for row, column in queue:
        for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if place not in steps and marks.get(place, "#") != "#":
                steps[place] = steps[row, column] + 1
                queue.append(place)
    ways = {place: steps.get(place, len(marks)) for place, mark in marks.items() if mark == "D"}
    longest = max(ways.values(), default=0)
    return [list(place) for place, way in ways.items() if way == longest]


def naive(plan: list[str]) -> list[list[int]]:
    """Same answers, searching a printer from each desk."""
    marks = {(row, column): mark for row, line in enumerate(plan) for column, mark in enumerate(line)}
    ways: dict[tuple[int, int], int] = {}
    for desk, desk_mark in marks.items():
        if desk_mark != "D":
            continue
        ways[desk] = len(marks)
        steps = {desk: 0}
        queue = [desk]
        for row, column in queue:
            if marks[row, column] == "P":
                ways[desk] = steps[row, column]
                break
            for place in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
                if place not in steps and marks.get(place, "#") != "#":
                    steps[place] = steps[row, column] + 1
                    queue.append(place)
    longest = max(ways.values(), default=0)
    return [list(place) for place, way in ways.items() if way == longest]


CASES = [
    ([],),
    ([""],),
    (["P.#"],),
    (["D"],),
    (["D.D", "..."],),
    (["PD"],),
    (["PDD"],),
    (["D.P.D"],),
    (["D#P", "..D"],),
    (["P#D", "D##"],),
    (["PDDDP"],),
    (["D..", ".#.", "..P"],),
    (["D.#.P", ".D#..", "..#.D"],),
    (["P.D", "###", "D.P", "..D"],),
    (["D###P", ".....", "D###D"],),
    (["#D#", "DPD", "#D#"],),
    (["P.#D", ".#D#", "#.D."],),
    (["P..D", ".D#.", "..#D"],),
    (["P....", "####.", "D....", ".####", "D...D"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """About n places with one printer in a corner, many desks and some walls."""
    rng = random.Random(n * 1009 + seed)
    side = isqrt(n) + 1
    plan = ["".join(rng.choice("DDD....#") for _ in range(side)) for _ in range(side)]
    return (["P" + plan[0][1:], *plan[1:]],)


SIZES = (80, 500, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
