"""Mistake: the distance is x plus y instead of the straight line."""

from __future__ import annotations


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    return [sum(abs(x) + abs(y) <= r for x, y in boats) for r in ranges]
