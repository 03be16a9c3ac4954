"""Mistake: the list starts with a number for no tiles."""

from __future__ import annotations


def tile_borders(limit: int) -> list[int]:
    borders = [0] * (limit + 1)
    width = 1
    while width * width <= limit:
        # A wider rectangle that is still not wider than high always has a shorter border.
        for tiles in range(width * width, limit + 1, width):
            borders[tiles] = 2 * (width + tiles // width)
        width += 1
    return borders if limit > 0 else []
