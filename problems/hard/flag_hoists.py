"""List flag hoists from any number on.

topics: generators, strings
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator


def flag_hoists(flags: str, length: int, start: int, count: int) -> Iterator[str]:
    """Yield the flag hoists with the numbers start, start + 1, ... of the code book.

    A hoist is a string of exactly `length` flags; each flag is a character of `flags`, which has no
    repeats. Flags may be used many times, but the same flag never stands twice in a row. The
    code book holds all hoists sorted like a dictionary, where flags rank by their place in
    `flags` (not by the alphabet). The first hoist has number 0. Yield `count` hoists, or fewer
    if the book ends before; none if `start` lies behind the end. All three numbers are 0 or more.
    For length 0 the book holds one hoist, the empty string. The book can be huge, so do not
    build it.

    >>> list(flag_hoists("ba", 3, 0, 9))
    ['bab', 'aba']
    >>> list(flag_hoists("xyz", 2, 2, 3))
    ['yx', 'yz', 'zx']
    """
    kinds = len(flags)
    total = 1 if length == 0 else kinds * (kinds - 1) ** (length - 1)
    for number in range(start, min(start + count, total)):
        hoist = ""
        rest = number
        for left in range(length - 1, -1, -1):
            choices = flags.replace(hoist[-1:], "")
            spot, rest = divmod(rest, (kinds - 1) ** left)
            hoist += choices[spot]
        yield hoist


def naive(flags: str, length: int, start: int, count: int) -> Iterator[str]:
    """Same answers, walking through the book from its beginning."""
    number = 0
    for hoist in itertools.product(flags, repeat=length):
        if number >= start + count:
            return
        if all(one != two for one, two in itertools.pairwise(hoist)):
            if number >= start:
                yield "".join(hoist)
            number += 1


CASES = [
    ("", 0, 0, 5),
    ("", 2, 0, 5),
    ("ab", 0, 0, 0),
    ("ab", 0, 1, 3),
    ("q", 1, 0, 4),
    ("q", 2, 0, 4),
    ("ab", 1, 0, 1),
    ("ab", 5, 1, 1),
    ("zax", 2, 0, 10),
    ("zax", 3, 4, 5),
    ("abcd", 3, 33, 9),
    ("abcd", 3, 36, 2),
    ("dcab", 4, 50, 6),
    ("+-.*", 2, 5, 4),
    ("rgbyw", 4, 100, 3),
]


def scaled(n: int, seed: int = 0) -> tuple[str, int, int, int]:
    """n hoists from about number n * n / 4 on."""
    rng = random.Random(n * 1009 + seed)
    flags = list("abcdefgh")
    rng.shuffle(flags)
    return "".join(flags), 7, n * n // 4 + rng.randint(0, 9), n


SIZES = (60, 250, 1_000)
GROWTH = {"reference": "n", "naive": "n^2"}
