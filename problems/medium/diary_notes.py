"""Number the notes of a bee diary.

topics: strings, parsing, text formatting
"""

from __future__ import annotations

import random
import re


def diary_notes(text: str) -> str:
    """Return the diary text with its note marks numbered and a list of notes at the end.

    A mark is "[", a key of one or more characters a-z or 0-9, and "]", such as "[wax]". Anything
    else in brackets, like "[Wax]" or "[ ]", is ordinary text. Keys are numbered 1, 2, 3, ... in the
    order in which they first appear, and every mark becomes "[number]"; the same key always has
    the same number. All other text stays as it is. After the text follows, for each key in
    order of its number, a line break, the number, "=" and the key. Text without marks comes back
    unchanged.

    >>> diary_notes("Swarm[june], calm[7] and rain[june].")
    'Swarm[1], calm[2] and rain[1].\\n1=june\\n2=7'
    >>> diary_notes("No [Notes] []")
    'No [Notes] []'
    """
    numbers: dict[str, int] = {}
    pieces = re.split(r"\[([a-z0-9]+)\]", text)
    for spot in range(1, len(pieces), 2):
        number = numbers.setdefault(pieces[spot], len(numbers) + 1)
        pieces[spot] = f"[{number}]"
    for key, number in numbers.items():
        pieces.append(f"\n{number}={key}")
    return "".join(pieces)


def naive(text: str) -> str:
    """Same answers, searching a list of the keys for each mark."""
    keys: list[str] = []
    pieces = re.split(r"\[([a-z0-9]+)\]", text)
    for spot in range(1, len(pieces), 2):
        if pieces[spot] not in keys:
            keys.append(pieces[spot])
        pieces[spot] = f"[{keys.index(pieces[spot]) + 1}]"
    for spot, key in enumerate(keys):
        pieces.append(f"\n{spot + 1}={key}")
    return "".join(pieces)


CASES = [
    ("",),
    ("plain",),
    ("[a]",),
    ("[b][a][b]",),
    ("[2] then [1] then [2]",),
    ("[[a]] and [b",),
    ("[A] [a b] [a-b] [] [é]",),
    ("x]y[z] [",),
    ("[a]\n[b]\n",),
    ("[10][9][8][7][6][5][4][3][2][1][10]",),
    ("[wax] [waxy] [wa] [wax]",),
    ("1=a [b] 2=c",),
    ("[a[b]c]",),
    ("\\1 [q7] \\g<1> [7q]",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A text with n marks, about half of them repeated."""
    rng = random.Random(n * 1009 + seed)
    return (" ".join(f"bees[k{rng.randint(1, n)}]" for _ in range(n)),)


SIZES = (100, 800, 5_000)
GROWTH = {"reference": "n", "naive": "n^2"}
