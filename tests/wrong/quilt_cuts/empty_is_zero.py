"""Mistake: the empty strip counts as no way."""

from __future__ import annotations


def quilt_cuts(strip: str) -> int:
    ways = 1
    sums: dict[str, int] = {}
    for colour in strip:
        ways = (sums.get(colour, 0) + ways) % 1000007
        sums[colour] = ways
    return ways if strip else 0
