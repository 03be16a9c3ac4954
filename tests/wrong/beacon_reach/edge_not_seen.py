"""Mistake: a boat exactly at the range is not counted."""

from __future__ import annotations


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    return [sum(r >= 0 and x * x + y * y < r * r for x, y in boats) for r in ranges]
