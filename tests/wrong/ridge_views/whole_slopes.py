"""Mistake: slopes are rounded down to whole numbers."""

from __future__ import annotations


def ridge_views(spots: list[list[int]]) -> list[int]:
    views: list[int] = []
    shape: list[int] = []  # the spots that still matter, the nearest last
    for spot in range(len(spots) - 1, -1, -1):
        x, height = spots[spot]
        while len(shape) > 1:
            near_x, near_height = spots[shape[-1]]
            far_x, far_height = spots[shape[-2]]
            if (near_height - height) // (near_x - x) >= (far_height - height) // (far_x - x):
                break
            shape.pop()
        views.append(shape[-1] if shape else -1)
        shape.append(spot)
    return views[::-1]
