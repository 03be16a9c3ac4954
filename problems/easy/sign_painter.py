"""Blank out the characters that a sign has only once.

topics: strings, counting
"""

from __future__ import annotations

import random
from collections import Counter


def sign_painter(text: str) -> str:
    """Return the text with every character that occurs only once painted over.

    The painter cuts stencils only for characters used at least twice in the whole text. Every
    character that occurs exactly once is replaced by "_". A capital letter and its small letter
    count as the same character, so "Aa" has one character that occurs twice; kept characters keep
    their case. Digits and punctuation, also an "_", are characters like letters. Spaces are
    never replaced, even a single one. The text holds only ASCII characters without line breaks
    or tabs. The result is as long as the text; an empty text gives an empty text.

    >>> sign_painter("Apple pie")
    '_pp_e p_e'
    >>> sign_painter("No. 11, on")
    'No_ 11_ on'
    """
    counts = Counter(text.lower())
    return "".join(mark if mark == " " or counts[mark.lower()] > 1 else "_" for mark in text)


def naive(text: str) -> str:
    """Same answers, counting through the text for each character."""
    painted = ""
    for mark in text:
        same = sum(other.lower() == mark.lower() for other in text)
        painted += mark if mark == " " or same > 1 else "_"
    return painted


CASES = [
    ("",),
    (" ",),
    ("a",),
    ("aa",),
    ("aA",),
    ("abc",),
    ("a b",),
    ("abca",),
    ("Apple pie",),
    ("No. 11, on",),
    ("a_b_",),
    ("x_x",),
    ("1-2-3",),
    ("OPEN DAILY",),
    ("  z  ",),
    ("Fresh fish! Fresh? Fish.",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A text of n characters."""
    rng = random.Random(n * 1009 + seed)
    return ("".join(rng.choice("abcdeABCDE fghijklmnopqrstuvwxyz.,!?0123456789") for _ in range(n)),)


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
