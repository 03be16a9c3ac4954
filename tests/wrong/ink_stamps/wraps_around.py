"""Mistake: what hangs over one edge is printed at the other."""

from __future__ import annotations


def ink_stamps(height: int, width: int, limit: int, stamps: list[list[int]]) -> list[list[int]]:
    sheet = [[0] * width for _ in range(height)]
    for row, column, rows, columns, ink in stamps:
        for y in range(row, row + rows if height and width else row):
            for x in range(column, column + columns):
                sheet[y % height][x % width] += ink
    return [[min(max(dark, 0), limit) for dark in line] for line in sheet]
