"""Find which earlier radio call each call answers.

topics: strings
"""

from __future__ import annotations

import random


def relay_gaps(calls: list[str]) -> list[int]:
    """Return for each radio call how many calls back the call it answers lies.

    A call answers the most recent earlier call whose first character equals its own last
    character. Upper and lower case count as the same. Spaces at both ends of a call are ignored.
    The call directly before is 1 call back, the one before that 2, and so on. A call never answers
    itself. A call that answers nothing gets 0. A call that is empty or only spaces gets 0 and is
    never answered, but it still counts as one call when counting back. Calls hold ASCII
    characters only. The result has one number per call, in the same order.

    >>> relay_gaps(["Anchor", "sofa", "buoy A", "fog"])
    [0, 1, 2, 0]
    >>> relay_gaps(["tide", "", "East"])
    [0, 0, 2]
    """
    latest: dict[str, int] = {}
    gaps: list[int] = []
    for spot, call in enumerate(calls):
        name = call.strip(" ").lower()
        if not name:
            gaps.append(0)
            continue
        gaps.append(spot - latest.get(name[-1], spot))
        latest[name[0]] = spot
    return gaps


def naive(calls: list[str]) -> list[int]:
    """Same answers, walking back through the calls each time."""
    names = [call.strip(" ").lower() for call in calls]
    firsts = [name[:1] for name in names]
    gaps: list[int] = []
    for spot, name in enumerate(names):
        gap = 0
        if name:
            last = name[-1]
            for earlier in range(spot - 1, -1, -1):
                if firsts[earlier] == last:
                    gap = spot - earlier
                    break
        gaps.append(gap)
    return gaps


CASES = [
    ([],),
    ([""],),
    (["anna"],),
    (["anna", "anna"],),
    (["anna", "anna", "ANNA"],),
    (["reef", "far", "star", "moor"],),
    (["x", "", "  ", "x"],),
    (["  kelp ", "pink", "Ok  "],),
    (["Rope", "HOOR", "door"],),
    (["7up", "log 7", "pi"],),
    (["a b", "bca", "cab", "ab"],),
    (["q", "w", "e", "r", "t", "y"],),
    (["sand", "salt", "shell", "dunes"],),
    (["!go", "stop!", "p", " "],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n calls of which about a third answer nothing."""
    rng = random.Random(n * 1009 + seed)
    calls: list[str] = []
    for _ in range(n):
        last = rng.choice("nopqrs") if rng.random() < 0.35 else rng.choice("abcde ")
        calls.append(rng.choice("ABCDEabcde") + "oo" + last)
    return (calls,)


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
