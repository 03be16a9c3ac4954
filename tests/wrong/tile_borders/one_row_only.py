"""Mistake: only rectangles of one row are looked at."""

from __future__ import annotations


def tile_borders(limit: int) -> list[int]:
    return [2 * (tiles + 1) for tiles in range(1, limit + 1)]
