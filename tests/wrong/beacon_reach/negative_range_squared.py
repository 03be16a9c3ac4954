"""Mistake: a negative range works like a positive one."""

from __future__ import annotations


def beacon_reach(boats: list[list[int]], ranges: list[int]) -> list[int]:
    return [sum(x * x + y * y <= r * r for x, y in boats) for r in ranges]
