"""Draw tide readings as bars and mark the records.

topics: text formatting, strings
"""

from __future__ import annotations

import random


def tide_strip(heights: list[int], width: int) -> list[str]:
    """Return one text line for each tide reading, in the given order.

    The harbour keeper draws every reading as a bar of "#" signs, one sign for each unit of height.
    The paper is narrow, so a bar never gets more than `width` signs (`width` is 0 or more). A
    reading of zero or below has a bar without any signs. A "!" follows directly after the bar if
    the reading is a record: strictly higher than every earlier reading. The first reading is
    always a record, even when it is negative. Records are judged by the true height, not by the
    drawn bar. No readings give an empty list.

    >>> tide_strip([2, 5, 5, -1], 4)
    ['##!', '####!', '####', '']
    >>> tide_strip([-3, 0], 9)
    ['!', '!']
    """
    lines: list[str] = []
    record: int | None = None
    for height in heights:
        bar = "#" * min(height, width)
        if record is None or height > record:
            record = height
            bar += "!"
        lines.append(bar)
    return lines


def naive(heights: list[int], width: int) -> list[str]:
    """Same answers, looking through all earlier readings each time."""
    lines: list[str] = []
    for spot, height in enumerate(heights):
        record = all(height > earlier for earlier in heights[:spot])
        lines.append("#" * min(height, width) + ("!" if record else ""))
    return lines


CASES = [
    ([], 5),
    ([0], 5),
    ([-4], 5),
    ([3], 0),
    ([4, 4], 4),
    ([5, 6, 7, 7, 8], 3),
    ([-5, -3, -3, -4, -1], 2),
    ([9, 8, 7], 10),
    ([0, 0, 1, 0, 1, 2], 1),
    ([3, 1, 2, 4, 4, 5], 4),
    ([-1, 0, 1], 6),
    ([100, 99, 101], 2),
    ([2, -2, 2, 3], 8),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """A slowly rising tide of n readings."""
    rng = random.Random(n * 1009 + seed)
    return [spot - rng.randint(0, 3) for spot in range(n)], rng.randint(3, 12)


SIZES = (100, 1_000, 6_000)
GROWTH = {"reference": "n", "naive": "n^2"}
