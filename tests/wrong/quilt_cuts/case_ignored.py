"""Mistake: capital and small letters count as the same colour."""

from __future__ import annotations


def quilt_cuts(strip: str) -> int:
    ways = 1
    sums: dict[str, int] = {}
    for colour in strip.lower():
        ways = (sums.get(colour, 0) + ways) % 1000007
        sums[colour] = ways
    return ways
