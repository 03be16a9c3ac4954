"""Count the ways to cut a strip of cloth.

topics: dynamic programming, strings
"""

from __future__ import annotations

import random


def quilt_cuts(strip: str) -> int:
    """Return in how many ways a strip of cloth can be cut, modulo 1000007.

    Each character of `strip` is one square and stands for its colour; capital and small letters
    are different colours. The strip is cut between squares into one or more pieces so that each
    piece begins and ends with the same colour. A piece of one square is always fine. Squares keep
    their order and none is thrown away. Cutting nothing at all is one way if the whole strip
    begins and ends with the same colour. Two ways differ if they cut at different spots. The empty
    strip counts as one way.

    >>> quilt_cuts("aba")
    2
    >>> quilt_cuts("aabb")
    4
    """
    ways = 1
    sums: dict[str, int] = {}
    for colour in strip:
        ways = (sums.get(colour, 0) + ways) % 1000007
        sums[colour] = ways
    return ways


def naive(strip: str) -> int:
    """Same answers, trying every start of the last piece."""
    ways = [1]
    for end, colour in enumerate(strip):
        total = 0
        for start in range(end + 1):
            if strip[start] == colour:
                total += ways[start]
        ways.append(total % 1000007)
    return ways[-1]


CASES = [
    ("",),
    ("a",),
    ("ab",),
    ("aa",),
    ("aA",),
    ("aaa",),
    ("abab",),
    ("abcabc",),
    ("abba",),
    ("mississippi",),
    ("  . .",),
    ("a" * 20,),
    ("a" * 21,),
    ("ab" * 40,),
    ("zéznzéz",),
    ("a" * 300 + "b" + "a" * 300,),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A strip of n squares in five colours."""
    rng = random.Random(n * 1009 + seed)
    return ("".join(rng.choice("rgbyw") for _ in range(n)),)


SIZES = (100, 1_000, 20_000)
GROWTH = {"reference": "n", "naive": "n^2"}
