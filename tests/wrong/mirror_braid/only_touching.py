"""Mistake: only mirrors that follow the block at once are found."""

from __future__ import annotations


def mirror_braid(braid: str) -> str:
    best = ""
    inside = [0] * len(braid)
    for first in range(len(braid) - 1, -1, -1):
        lengths = [0] * len(braid)
        for last in range(first + 1, len(braid)):
            if braid[first] == braid[last]:
                lengths[last] = inside[last - 1] + 1
        longest = max((size for last, size in enumerate(lengths) if last - first + 1 == 2 * size), default=0)
        if longest >= len(best):
            best = braid[first : first + longest]
        inside = lengths
    return best
