"""Find a block of a braid that comes back mirrored.

topics: dynamic programming, strings
"""

from __future__ import annotations

import random


def mirror_braid(braid: str) -> str:
    """Return the longest block of the braid that comes again further right in mirror order.

    The braid is a string; each character is the colour of one strand, upper and lower case are
    different colours. A block is a run of neighbouring characters. Its mirror is the same block
    read backwards. The mirror must stand completely to the right of the block, with or without
    other characters between them; the two must not share a place. If several blocks are equally
    long, return the one that begins furthest left. If no block has a mirror, return the empty
    string.

    >>> mirror_braid("xabc--cbay")
    'abc-'
    >>> mirror_braid("redred")
    'r'
    """
    best = ""
    inside = [0] * len(braid)
    for first in range(len(braid) - 1, -1, -1):
        lengths = [0] * len(braid)
        for last in range(first + 1, len(braid)):
            if braid[first] == braid[last]:
                lengths[last] = inside[last - 1] + 1
        longest = max(lengths)
        if longest >= len(best):
            best = braid[first : first + longest]
        inside = lengths
    return best


def naive(braid: str) -> str:
    """Same answers, comparing inwards from each pair of places."""
    best = ""
    for first in range(len(braid)):
        for last in range(first + 1, len(braid)):
            size = 0
            while first + size < last - size and braid[first + size] == braid[last - size]:
                size += 1
            if size > len(best):
                best = braid[first : first + size]
    return best


CASES = [
    ("",),
    ("a",),
    ("ab",),
    ("aa",),
    ("aaa",),
    ("aaaa",),
    ("aaaaa",),
    ("abcabc",),
    ("abccba",),
    ("abcdcba",),
    ("abxxxba",),
    ("ab12ba34cd",),
    ("cd--dcab--ba",),
    ("Ab--bA ab--Ba",),
    ("abcd xx cb yy dcba",),
    ("aabbaabb",),
    ("tic tac cat cit",),
    ("noxon, level, radar",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A braid of n strands with hardly any change of colour."""
    rng = random.Random(n * 1009 + seed)
    return ("".join(rng.choice("bc") if rng.random() < 3 / n else "a" for _ in range(n)),)


SIZES = (30, 110, 350)
GROWTH = {"reference": "n^2", "naive": "n^3"}
