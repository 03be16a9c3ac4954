"""Mistake: places are given as column and row."""

from __future__ import annotations


def proud_hedges(garden: list[list[int]]) -> list[list[int]]:
    proud: list[list[int]] = []
    tops = [0] * len(garden[0]) if garden else []
    for row, hedges in enumerate(garden):
        left = 0
        for column, height in enumerate(hedges):
            if height > left and height > tops[column]:
                proud.append([column, row])
            left = max(left, height)
            tops[column] = max(tops[column], height)
    return proud
