"""Mistake: boats at the same point count once."""

from __future__ import annotations


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    points = {(x, y) for x, y in boats}
    return [sum(r >= 0 and x * x + y * y <= r * r for x, y in points) for r in ranges]
