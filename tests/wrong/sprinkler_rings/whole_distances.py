"""Mistake: distances are cut to whole numbers."""

from __future__ import annotations

from bisect import bisect_right


def sprinkler_rings(plants: list[list[int]], tap: list[int], rings: list[list[int]]) -> list[int]:
    left, top = tap
    squares = sorted(int(((x - left) ** 2 + (y - top) ** 2) ** 0.5) ** 2 for x, y in plants)
    counts: list[int] = []
    for inner, outer in rings:
        near = bisect_right(squares, inner**2)
        far = bisect_right(squares, outer**2)
        counts.append(max(far - near, 0))
    return counts
