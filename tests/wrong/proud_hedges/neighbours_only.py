"""Mistake: only the next hedge on the left and above is compared."""

from __future__ import annotations


def proud_hedges(garden: list[list[int]]) -> list[list[int]]:
    proud: list[list[int]] = []
    tops = [0] * len(garden[0]) if garden else []
    for row, hedges in enumerate(garden):
        left = 0
        for column, height in enumerate(hedges):
            if height > left and height > tops[column]:
                proud.append([row, column])
            left = height
            tops[column] = height
    return proud
