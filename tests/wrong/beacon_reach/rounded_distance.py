"""Mistake: the distance is a rounded float."""

from __future__ import annotations

from math import hypot


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    return [sum(hypot(x, y) <= r for x, y in boats) for r in ranges]
