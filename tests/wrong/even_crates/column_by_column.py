"""Mistake: positions come column by column."""

from __future__ import annotations


def even_crates(grid: list[list[int]]) -> list[list[int]]:
    rows = [sum(row) for row in grid]
    even: list[list[int]] = []
    for spot, column in enumerate(zip(*grid, strict=True)):
        even.extend([row, spot] for row, total in enumerate(rows) if total == sum(column))
    return even
