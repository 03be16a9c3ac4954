"""Mistake: a row is compared only with the column of the same number."""

from __future__ import annotations


def even_crates(grid: list[list[int]]) -> list[list[int]]:
    columns = [sum(column) for column in zip(*grid, strict=True)]
    pairs = enumerate(zip(grid, columns, strict=False))
    return [[spot, spot] for spot, (row, column) in pairs if sum(row) == column]
