"""Break a poster text so that its widest line is short.

topics: text formatting, strings
"""

from __future__ import annotations

import random


def poster_lines(text: str, rows: int) -> list[str]:
    """Return the text broken into lines so that the longest line is as short as possible.

    The words of `text` are separated by one or more spaces; there may also be spaces at its start
    and end. The words must keep their order and stay whole. Each line holds one or more words
    joined by single spaces, and there may be at most `rows` lines (`rows` is 1 or more); fewer are
    allowed. Of all such ways, use one where the longest line has as few characters as possible,
    spaces between words included. If several ways are equally good, any of them is right. A text
    without words gives an empty list.

    >>> poster_lines("grand kite fair on the hill", 3)
    ['grand kite', 'fair on', 'the hill']
    >>> poster_lines("  tea   today ", 1)
    ['tea today']
    """
    words = text.split()
    low = max(map(len, words), default=0)
    high = len(text)
    best: list[list[str]] = []
    while low <= high:
        width = (low + high) // 2
        lines: list[list[str]] = []
        room = 0
        for word in words:
            room -= len(word) + 1
            if room < 0:
                lines.append([])
                room = width - len(word)
            lines[-1].append(word)
        if len(lines) <= rows:
            best = lines
            high = width - 1
        else:
            low = width + 1
    return [" ".join(line) for line in best]


def naive(text: str, rows: int) -> list[str]:
    """Equally good answers, trying every width one after another."""
    words = text.split()
    width = max(map(len, words), default=0)
    while True:
        lines: list[list[str]] = []
        room = 0
        for word in words:
            room -= len(word) + 1
            if room < 0:
                lines.append([])
                room = width - len(word)
            lines[-1].append(word)
        if len(lines) <= rows:
            return [" ".join(line) for line in lines]
        width += 1


def accept(inputs: tuple[str, int], output: object, expected: object) -> bool:
    """Any allowed break whose longest line is as short as the reference's."""
    text, rows = inputs
    if not isinstance(output, list) or not isinstance(expected, list) or len(output) > rows:
        return False
    if not all(isinstance(line, str) and line for line in output):
        return False
    if " ".join(output) != " ".join(text.split()):
        return False
    return max(map(len, output), default=0) == max(map(len, expected), default=0)


CASES = [
    ("", 1),
    ("   ", 3),
    ("kite", 1),
    ("kite", 5),
    ("a b", 1),
    ("a b", 2),
    ("a b c d e f g", 3),
    ("lighthouse is on", 2),
    ("on is lighthouse", 3),
    ("aa bb cc dd", 3),
    ("  wide   gaps  in the   text ", 2),
    ("one two three four five six seven", 4),
    ("a bb ccc dddd eeeee ffffff", 2),
    ("ffffff eeeee dddd ccc bb a", 3),
    ("x xx x xx xxxxx x x xx x", 4),
]


def scaled(n: int, seed: int = 0) -> tuple[str, int]:
    """A text of n short words and a few rows."""
    rng = random.Random(n * 1009 + seed)
    return " ".join("w" * rng.randint(1, 8) for _ in range(n)), 5


SIZES = (60, 400, 2_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
