"""Mistake: the block must come again in the same order."""

from __future__ import annotations


def mirror_braid(braid: str) -> str:
    best = ""
    inside = [0] * len(braid)
    for first in range(len(braid) - 1, -1, -1):
        lengths = [0] * len(braid)
        for last in range(first + 1, len(braid)):
            if braid[first] == braid[last]:
                lengths[last] = min((inside[last + 1] if last + 1 < len(braid) else 0) + 1, last - first)
        longest = max(lengths)
        if longest >= len(best):
            best = braid[first : first + longest]
        inside = lengths
    return best
