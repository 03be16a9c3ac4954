"""Find badges that no visitor wears yet.

topics: strings, text formatting
"""

from __future__ import annotations

import random


def spare_badges(prefix: str, taken: list[str], count: int) -> list[str]:
    """Return `count` different badges that are still free.

    A badge is the prefix exactly as given, a hyphen, and a whole number of 1 or more written
    without leading zeros, such as "bee-12". `prefix` holds only letters a-z or A-Z and may be
    empty. `taken` lists ASCII texts already in use; it may hold repeats and texts that are no
    badges at all. A badge is free if it equals no text of `taken` when upper and lower case count as the
    same, so "BEE-1" makes "bee-1" unusable. Any free badges in any order are right. A `count` of 0
    gives an empty list; it is never negative.

    >>> spare_badges("bee", ["bee-1", "BEE-3"], 2)
    ['bee-2', 'bee-4']
    >>> spare_badges("", ["1"], 1)
    ['-1']
    """
    used = {text.lower() for text in taken}
    badges: list[str] = []
    number = 1
    while len(badges) < count:
        badge = f"{prefix}-{number}"
        if badge.lower() not in used:
            badges.append(badge)
        number += 1
    return badges


def naive(prefix: str, taken: list[str], count: int) -> list[str]:
    """Same answers, searching the whole list for each badge."""
    used = [text.lower() for text in taken]
    badges: list[str] = []
    number = 1
    while len(badges) < count:
        badge = f"{prefix}-{number}"
        if badge.lower() not in used:
            badges.append(badge)
        number += 1
    return badges


def accept(inputs: tuple[str, list[str], int], output: object, expected: object) -> bool:
    """Any list of `count` different free badges."""
    prefix, taken, count = inputs
    used = {text.lower() for text in taken}
    if not isinstance(output, list) or len(output) != count:
        return False
    for badge in output:
        if not isinstance(badge, str) or not badge.startswith(prefix + "-"):
            return False
        number = badge[len(prefix) + 1 :]
        if not (number.isascii() and number.isdigit()) or number[0] == "0":
            return False
        if badge.lower() in used:
            return False
        used.add(badge.lower())
    return True


CASES = [
    ("bee", [], 0),
    ("bee", [], 1),
    ("bee", ["bee-1"], 0),
    ("bee", ["bee-1"], 1),
    ("bee", ["BEE-1", "Bee-2"], 2),
    ("Hive", ["hive-1", "HIVE-2", "hive-4"], 3),
    ("", ["-1", "-1", "2"], 2),
    ("a", ["a-2", "a-2", "a-2", "a-5"], 4),
    ("fox", ["fox-01", "fox-1 ", "fox"], 2),
    ("x", ["x-3", "x-2", "x-1"], 3),
    ("x", ["x-4", "x-3", "y-1"], 5),
    ("OWL", ["owl-1", "owl-2", "owl-3", "owl-9", "owl-10"], 7),
    ("b", ["b-2", "b-3", "b-4", "b-5", "b-6"], 2),
]


def scaled(n: int, seed: int = 0) -> tuple[str, list[str], int]:
    """The first n badges taken, in mixed case and order; a quarter as many wanted."""
    rng = random.Random(n * 1009 + seed)
    taken = [f"{rng.choice(['bee', 'Bee', 'BEE'])}-{number}" for number in range(1, n + 1)]
    rng.shuffle(taken)
    return "bee", taken, n // 4 + 1


SIZES = (100, 1_000, 5_000)
GROWTH = {"reference": "n", "naive": "n^2"}
