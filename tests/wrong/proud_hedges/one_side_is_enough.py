"""Mistake: higher than those to the left or than those above is enough."""

from __future__ import annotations


def proud_hedges(garden: list[list[int]]) -> list[list[int]]:
    proud: list[list[int]] = []
    tops = [0] * len(garden[0]) if garden else []
    for row, hedges in enumerate(garden):
        left = 0
        for column, height in enumerate(hedges):
            if height > left or height > tops[column]:
                proud.append([row, column])
            left = max(left, height)
            tops[column] = max(tops[column], height)
    return proud
