"""Unpack jars from many crates in rounds.

topics: generators, strings
"""

from __future__ import annotations

import random
from collections.abc import Iterator


def crate_rounds(crates: list[str]) -> Iterator[str]:
    """Yield, round by round, the jars that are taken out of the crates.

    Each crate is a string and each character of it is one jar. In every round the crates are
    visited in list order and each crate still in use gives its next jar, from left to right. The
    jars of one round, joined into one string, are yielded. A crate that has no jar left gives
    nothing from then on. A "*" is a broken jar: when it is the next jar, it is not given, and the
    crate is out of use at once and for good, together with all jars behind it. A round in which no
    crate gives a jar is not yielded and ends everything.

    >>> list(crate_rounds(["plum", "fig", "jam*x"]))
    ['pfj', 'lia', 'ugm', 'm']
    >>> list(crate_rounds(["", "*a"]))
    []
    """
    used = [iter(crate) for crate in crates]
    while used:
        jars: list[str] = []
        still: list[Iterator[str]] = []
        for crate in used:
            jar = next(crate, "*")
            if jar != "*":
                jars.append(jar)
                still.append(crate)
        if jars:
            yield "".join(jars)
        used = still


def naive(crates: list[str]) -> Iterator[str]:
    """Same answers, visiting every crate in every round."""
    whole = [crate.split("*")[0] for crate in crates]
    turns = max((len(crate) for crate in whole), default=0)
    for turn in range(turns):
        yield "".join(crate[turn] for crate in whole if turn < len(crate))


CASES = [
    ([],),
    ([""],),
    (["*"],),
    (["a"],),
    (["abc"],),
    (["a*bc"],),
    (["*abc", "x"],),
    (["", "ab", "", "c"],),
    (["abc", "d*", "ef"],),
    (["a", "bb", "ccc", "bb", "a"],),
    (["x y", "  *", "é?"],),
    (["aa", "aa", "a*a"],),
    (["a**b", "**", "cd*e*f"],),
    (["12345", "6", "78*"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n crates: many with one or two jars, one with n jars."""
    rng = random.Random(n * 1009 + seed)
    crates = [rng.choice(["a", "bc", "d*e", "f"]) for _ in range(n)]
    crates[rng.randrange(n)] = "".join(rng.choice("klm") for _ in range(n))
    return (crates,)


SIZES = (100, 800, 4_000)
GROWTH = {"reference": "n", "naive": "n^2"}
