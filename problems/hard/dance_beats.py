"""Work out how long the dances of a book are.

topics: recursion, parsing, memoisation
"""

from __future__ import annotations

import random
from math import isqrt


def dance_beats(book: dict[str, list[str]]) -> dict[str, int | None]:
    """Return the number of beats of each dance in the book.

    The book gives for each dance its list of figures, which are danced one after another. A figure
    is a whole number of beats such as "8", or the name of a dance, which is then danced as a whole,
    or a name with a number of times like "reel*3" (1 or more). Names are made of letters only. The
    beats of a dance are the sum over its figures; no figures mean 0. A dance has None beats if it
    needs a dance that is not in the book, or if it leads back to itself, or if it needs a dance
    with None beats. The result has exactly the names of the book.

    >>> dance_beats({"reel": ["8", "4"], "ball": ["reel*2", "1", "reel"]})
    {'reel': 12, 'ball': 37}
    >>> dance_beats({"jig": ["polka"], "hop": ["hop", "2"], "bow": []})
    {'jig': None, 'hop': None, 'bow': 0}
    """
    known: dict[str, int | None] = {}

    def beats(name: str) -> int | None:
        if name in known or name not in book:
            return known.get(name)
        known[name] = None  # until it is clear that the dance does not lead back to itself
        total = 0
        for figure in book[name]:
            part, _, times = figure.partition("*")
            length = int(part) if part.isdigit() else beats(part)
            if length is None:
                return None
            total += length * int(times or 1)
        known[name] = total
        return total

    return {name: beats(name) for name in book}


def naive(book: dict[str, list[str]]) -> dict[str, int | None]:
    """Same answers, working out each dance anew wherever it is needed."""

    def beats(name: str, outer: tuple[str, ...]) -> int | None:
        if name not in book or name in outer:
            return None
        total = 0
        for figure in book[name]:
            part, _, times = figure.partition("*")
            length = int(part) if part.isdigit() else beats(part, (*outer, name))
            if length is None:
                return None
            total += length * int(times or 1)
        return total

    return {name: beats(name, ()) for name in book}


CASES = [
    ({},),
    ({"bow": []},),
    ({"bow": ["0"]},),
    ({"reel": ["8", "16", "8"]},),
    ({"hop": ["hop"]},),
    ({"hop": ["3", "jig"]},),
    ({"a": ["b", "b"], "b": ["5", "5"]},),
    ({"a": ["b*3", "1"], "b": ["5", "c*2"], "c": ["1"]},),
    ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["c", "1"], "e": ["2"]},),
    ({"a": ["1", "b"], "b": ["2", "a"], "c": ["d"], "d": ["4"]},),
    ({"x": ["y*10"], "y": ["z*10", "2"], "z": []},),
    ({"Reel": ["4"], "reel": ["Reel*12"], "REEL": ["reel", "real"]},),
    ({"a": ["b", "c"], "b": ["d"], "c": ["d*2"], "d": ["7"]},),
    ({"d": ["c*2", "b*2"], "c": ["b*2", "a*2"], "b": ["a*3"], "a": ["1"]},),
    ({"a": ["b", "x"], "b": ["9"], "c": ["a", "b"], "d": ["b*2"]},),
    ({"a": ["b", "c"], "b": ["c"], "c": ["b"], "d": ["e"], "e": ["4"]},),
]


def scaled(n: int, seed: int = 0) -> tuple[dict[str, list[str]]]:
    """n dances in rows of about sqrt(n); each needs the next one of its row."""
    rng = random.Random(n * 1009 + seed)
    letters = str.maketrans("0123456789", "abcdefghij")
    names = [("d" + str(spot)).translate(letters) for spot in range(n)]
    row = isqrt(n) + 1
    book: dict[str, list[str]] = {}
    for spot, name in enumerate(names):
        book[name] = [str(rng.randint(1, 32)), str(rng.randint(1, 32))]
        if spot % row != row - 1 and spot + 1 < n:
            book[name].insert(1, f"{names[spot + 1]}*{rng.randint(1, 2)}")
    return (book,)


SIZES = (80, 600, 4_000)
GROWTH = {"reference": "n", "naive": "n sqrt n"}
