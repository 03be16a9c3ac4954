"""Find the fullest moment of a ferry day.

topics: parsing, strings
"""

from __future__ import annotations

import random
import re


def ferry_peak(log: str) -> int:
    """Return the largest number of people who were aboard at the same time.

    The log of a ferry that starts empty is a text of entries separated by one or more spaces. The
    entry "+7" means that seven people board, "-7" that seven leave. An entry counts only if it is
    one sign followed by one or more digits 0-9 and nothing else; every other entry is a remark and
    is skipped. If more people leave than are aboard, the ferry is simply empty afterwards: the
    number aboard never drops below zero. Entries are handled one by one, in order. A log without
    any boarding gives 0.

    >>> ferry_peak("+5 -2 gulls +4 -9 +6")
    7
    >>> ferry_peak("-3 +2 7 ++8")
    2
    """
    aboard = 0
    peak = 0
    for entry in log.split():
        if re.fullmatch(r"[+-][0-9]+", entry):
            aboard = max(0, aboard + int(entry))
            peak = max(peak, aboard)
    return peak


CASES = [
    ("",),
    ("   ",),
    ("+0",),
    ("-4",),
    ("+3",),
    ("-5 +2",),
    ("+3 -3 +3",),
    ("+2   +2 -1 +2  ",),
    ("8 +1 9",),
    ("+ - +-3 ++4 +5x 6+ +1",),
    ("+007 -2 rain",),
    ("+10 -20 +9 +2",),
    ("+4 -1 +1 -1 +1",),
    ("+1.5 +1,5 +2",),
    ("dock+9 +4 -4 +3",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A log of n entries with some remarks."""
    rng = random.Random(n * 1009 + seed)
    entries = [f"{rng.choice('+-')}{rng.randint(0, 40)}" for _ in range(n)]
    for _ in range(n // 10):
        entries[rng.randrange(n)] = rng.choice(["fog", "12", "+", "-x"])
    return (" ".join(entries),)


SIZES = (100, 1_000, 8_000)
GROWTH = {"reference": "n"}
