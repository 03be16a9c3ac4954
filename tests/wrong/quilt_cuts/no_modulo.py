"""Mistake: the count is not reduced."""

from __future__ import annotations


def quilt_cuts(strip: str) -> int:
    ways = 1
    sums: dict[str, int] = {}
    for colour in strip:
        ways = (sums.get(colour, 0) + ways)
        sums[colour] = ways
    return ways
