"""Match gloves in a lost and found office.

topics: dictionaries, queues
"""

from __future__ import annotations

import random


def lost_gloves(found: list[str]) -> list[list[int]]:
    """Return the pairs of gloves that an office can put together, as lists of two positions.

    Gloves come in one after another. Each is a kind, one space and its side "L" or "R", such as
    "red wool L"; the kind is not empty and may hold spaces. Two gloves match if their kinds are
    exactly equal and their sides differ. When a glove comes in and gloves that match it are
    waiting, it makes a pair with the one that has waited longest, and both are gone. Otherwise it
    waits itself. Each pair is [position of the waiting glove, position of the new one], counted
    from 0. Pairs are in the order in which they were made.

    >>> lost_gloves(["red L", "blue R", "red L", "red R", "blue L"])
    [[0, 3], [1, 4]]
    >>> lost_gloves(["red L", "Red R"])
    []
    """
    waiting: dict[str, list[int]] = {}
    used: dict[str, int] = {}
    pairs: list[list[int]] = []
    for spot, glove in enumerate(found):
        other = glove[:-1] + ("R" if glove[-1] == "L" else "L")
        turn = used.get(other, 0)
        if turn < len(waiting.get(other, [])):
            pairs.append([waiting[other][turn], spot])
            used[other] = turn + 1
        else:
            waiting.setdefault(glove, []).append(spot)
    return pairs


def naive(found: list[str]) -> list[list[int]]:
    """Same answers, searching all waiting gloves for each new one."""
    waiting: list[int] = []
    pairs: list[list[int]] = []
    for spot, glove in enumerate(found):
        for first in waiting:
            if found[first][:-1] == glove[:-1] and found[first] != glove:
                pairs.append([first, spot])
                waiting.remove(first)
                break
        else:
            waiting.append(spot)
    return pairs


CASES = [
    ([],),
    (["red L"],),
    (["red L", "red L"],),
    (["red L", "red R"],),
    (["red R", "red L"],),
    (["red L", "Red R", "red  R"],),
    (["red L", "red L", "red R", "red R"],),
    (["red L", "red L", "red R", "red L", "red R", "red R"],),
    (["red L", "blue L", "blue R", "red R"],),
    (["L L", "R R", "L R", "R L"],),
    (["red wool L", "red R", "red wool R", "wool L"],),
    (["a R", "a L", "a L", "a R", "a R", "a L", "a L"],),
    (["a L", "b L", "a R", "c R", "b R", "a R", "c L", "a L"],),
    (["é? R", "e? L", "é? L"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n gloves of n kinds, so that most of them keep waiting."""
    rng = random.Random(n * 1009 + seed)
    return ([f"wool{rng.randint(1, n)} {rng.choice('LR')}" for _ in range(n)],)


SIZES = (100, 800, 8_000)
GROWTH = {"reference": "n", "naive": "n^2"}
