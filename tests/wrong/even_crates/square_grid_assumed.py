"""Mistake: the grid is taken to have as many columns as rows."""

from __future__ import annotations


def even_crates(grid: list[list[int]]) -> list[list[int]]:
    size = len(grid)
    even: list[list[int]] = []
    for row in range(size):
        for spot in range(size):
            if sum(grid[row]) == sum(other[spot] for other in grid):
                even.append([row, spot])
    return even
