"""Mistake: the mirror may share places with the block."""

from __future__ import annotations


def mirror_braid(braid: str) -> str:
    best = ""
    inside = [0] * len(braid)
    for first in range(len(braid) - 1, -1, -1):
        lengths = [0] * len(braid)
        for last in range(first, len(braid)):
            if braid[first] == braid[last]:
                lengths[last] = (inside[last - 1] if last else 0) + 1
        longest = max(lengths)
        if longest >= len(best):
            best = braid[first : first + longest]
        inside = lengths
    return best
