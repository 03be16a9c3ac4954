"""Mistake: the search for a width ends before the square root, so squares are missed."""

from __future__ import annotations


def tile_borders(limit: int) -> list[int]:
    borders: list[int] = []
    for tiles in range(1, limit + 1):
        best = 1
        width = 2
        while width * width < tiles:
            if tiles % width == 0:
                best = width
            width += 1
        borders.append(2 * (best + tiles // best))
    return borders
