"""Mistake: the darkness is kept in its bounds after each stamp."""

from __future__ import annotations


def ink_stamps(height: int, width: int, limit: int, stamps: list[list[int]]) -> list[list[int]]:
    sheet = [[0] * width for _ in range(height)]
    for row, column, rows, columns, ink in stamps:
        for y in range(max(row, 0), min(row + rows, height)):
            for x in range(max(column, 0), min(column + columns, width)):
                sheet[y][x] = min(max(sheet[y][x] + ink, 0), limit)
    return sheet
