"""Mistake: each piece must have one colour only."""

from __future__ import annotations


def quilt_cuts(strip: str) -> int:
    ways = 1
    sums: dict[str, int] = {}
    last = ""
    for colour in strip:
        if colour != last:
            sums = {}
        last = colour
        ways = (sums.get(colour, 0) + ways) % 1000007
        sums[colour] = ways
    return ways
