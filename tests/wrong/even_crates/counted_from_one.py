"""Mistake: rows and columns are counted from 1."""

from __future__ import annotations


def even_crates(grid: list[list[int]]) -> list[list[int]]:
    columns = [sum(column) for column in zip(*grid, strict=True)]
    even: list[list[int]] = []
    for row, weights in enumerate(grid, 1):
        even.extend([row, spot] for spot, total in enumerate(columns, 1) if total == sum(weights))
    return even
