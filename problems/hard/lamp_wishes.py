"""Tell which lamp pictures can be switched on.

topics: bits, linear algebra
"""

from __future__ import annotations

import random


def lamp_wishes(start: str, switches: list[str], wishes: list[str]) -> list[bool]:
    """Return for each wished picture whether the switches can make it.

    A row of lamps is written as a string: "*" for a lamp that is on, "." for one that is off. The
    lamps show `start` at first. A switch is written in the same way: pressing it changes every lamp
    at a "*", from on to off or from off to on, and leaves those at a "." alone. Switches may be
    pressed in any order, any number of times, or not at all. All strings have the same length,
    which may be 0; switches may repeat or have no "*". Each wish begins anew from `start`. The
    answers come in the order of `wishes`.

    >>> lamp_wishes("...", ["**.", ".**"], ["*.*", "***", "..."])
    [True, False, True]
    >>> lamp_wishes("*.", [], ["*.", ".*"])
    [True, False]
    """

    def number(picture: str) -> int:
        return int("0" + picture.replace(".", "0").replace("*", "1"), 2)

    basis: list[int] = []
    for switch in switches:
        rest = number(switch)
        for base in basis:
            rest = min(rest, rest ^ base)
        if rest:
            basis.append(rest)
    answers: list[bool] = []
    for wish in wishes:
        rest = number(wish) ^ number(start)
        for base in basis:
            rest = min(rest, rest ^ base)
        answers.append(rest == 0)
    return answers


def naive(start: str, switches: list[str], wishes: list[str]) -> list[bool]:
    """Same answers, collecting every picture that can be made."""

    def number(picture: str) -> int:
        return int("0" + picture.replace(".", "0").replace("*", "1"), 2)

    made = {number(start)}
    for switch in switches:
        change = number(switch)
        made |= {picture ^ change for picture in made}
    return [number(wish) in made for wish in wishes]


CASES = [
    ("", [], []),
    ("", ["", ""], ["", ""]),
    ("*", [], ["*", "."]),
    (".", ["*"], ["*", "."]),
    ("*", ["."], ["*", "."]),
    ("..", ["**", "**"], ["**", "*.", ".*", ".."]),
    ("*.", ["**"], [".*", "**", "*.", ".."]),
    ("...", ["**.", ".**", "*.*"], ["**.", "***", "*..", "..."]),
    ("...", ["***", "**.", "*.."], ["..*", ".*.", "*.*"]),
    ("*.*.", ["**..", "..**"], [".**.", "*.*.", ".*.*", "****", "...."]),
    ("....", ["*...", "**..", "***."], ["..*.", "...*", ".**.", "*..*"]),
    (".....", ["**...", "..**.", "*...*"], [".****", "**.*.", "*.*.*", ".*..*", "**..*"]),
    ("*****", ["*.*.*", ".*.*.", "*****"], [".....", "*.*.*", "*...*", ".*.*."]),
    ("......", ["***...", "...***", "**..**", "..**.."], ["..*..*", "*.*.*.", "**..**", "..*.**"]),
    ("........", ["**......", ".**.....", "..**....", "...**..."], ["*...*...", "*.......", ".*.*....", "......**"]),
]


def scaled(n: int, seed: int = 0) -> tuple[str, list[str], list[str]]:
    """n switches and n wishes; the number of lamps grows with log n, the last two lamps hang together."""
    rng = random.Random(n * 1009 + seed)
    lamps = n.bit_length()
    switches: list[str] = []
    for _ in range(n):
        row = "".join(rng.choice(".*") for _ in range(lamps))
        switches.append(row + row[-1])
    wishes = ["".join(rng.choice(".*") for _ in range(lamps + 1)) for _ in range(n)]
    return "." * (lamps + 1), switches, wishes


SIZES = (60, 400, 3_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
