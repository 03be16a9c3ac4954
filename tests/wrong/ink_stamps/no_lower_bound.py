"""Mistake: bleach may make a square lighter than 0."""

from __future__ import annotations

from itertools import accumulate


def ink_stamps(height: int, width: int, limit: int, stamps: list[list[int]]) -> list[list[int]]:
    changes = [[0] * (width + 1) for _ in range(height + 1)]
    for row, column, rows, columns, ink in stamps:
        top, bottom = max(row, 0), min(row + rows, height)
        left, right = max(column, 0), min(column + columns, width)
        if top < bottom and left < right:
            changes[top][left] += ink
            changes[top][right] -= ink
            changes[bottom][left] -= ink
            changes[bottom][right] += ink
    sheet: list[list[int]] = []
    sums = [0] * width
    for line in changes[:height]:
        sums = [above + change for above, change in zip(sums, line, strict=False)]
        sheet.append([min(dark, limit) for dark in accumulate(sums)])
    return sheet
