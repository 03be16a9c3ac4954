"""Mistake: the distances between spots are taken as equal."""

from __future__ import annotations


def ridge_views(spots: list[list[int]]) -> list[int]:
    views: list[int] = []
    shape: list[int] = []  # the spots that still matter, the nearest last
    for spot in range(len(spots) - 1, -1, -1):
        x, height = spot, spots[spot][1]
        while len(shape) > 1:
            near_x, near_height = shape[-1], spots[shape[-1]][1]
            far_x, far_height = shape[-2], spots[shape[-2]][1]
            if (near_height - height) * (far_x - x) >= (far_height - height) * (near_x - x):
                break
            shape.pop()
        views.append(shape[-1] if shape else -1)
        shape.append(spot)
    return views[::-1]
