"""Follow a row of lamps switched by a signal.

topics: generators, strings
"""

from __future__ import annotations

import random
from collections.abc import Iterator


def lamp_relay(signal: str) -> Iterator[str]:
    """Yield the lamps that are lit at each question mark of the signal.

    A lighthouse has 26 lamps named by the letters a to z, all dark at first. The signal is read
    from left to right. A letter from a to z switches its lamp: a dark lamp is lit, a lit lamp goes
    dark. A "." makes every lamp dark. A "?" asks for a report: yield one string with the letters
    of the lamps lit at that moment, in alphabetical order, or an empty string if all are dark.
    Reports change nothing. All other characters, also capital letters, are ignored. A signal
    without "?" yields nothing.

    >>> list(lamp_relay("ba?b?"))
    ['ab', 'a']
    >>> list(lamp_relay("?x.Q?"))
    ['', '']
    """
    lit: set[str] = set()
    for mark in signal:
        if mark == "?":
            yield "".join(sorted(lit))
        elif mark == ".":
            lit.clear()
        elif "a" <= mark <= "z":
            lit ^= {mark}


def naive(signal: str) -> Iterator[str]:
    """Same answers, replaying the signal for each report."""
    for spot, mark in enumerate(signal):
        if mark == "?":
            lit: list[str] = []
            for earlier in signal[:spot]:
                if earlier == ".":
                    lit = []
                elif earlier in lit:
                    lit.remove(earlier)
                elif "a" <= earlier <= "z":
                    lit.append(earlier)
            yield "".join(sorted(lit))


CASES = [
    ("",),
    ("?",),
    ("abc",),
    ("cab?",),
    ("aa?",),
    ("aaa?a?",),
    ("ab.?c?",),
    ("A?a?A?",),
    ("z??z?",),
    ("é a 1!?",),
    ("qwerty?.?ytrewq?",),
    ("a.a?.a?a?",),
    (".?.x?",),
    ("mnmn?nm?m?",),
]


def scaled(n: int, seed: int = 0) -> tuple[str]:
    """A signal of n marks, one in eight a report."""
    rng = random.Random(n * 1009 + seed)
    marks = [rng.choice("abcdefghkmpqrsz ") for _ in range(n)]
    for spot in range(7, n, 8):
        marks[spot] = "?"
    for _ in range(n // 100):
        marks[rng.randrange(n)] = "."
    return ("".join(marks),)


SIZES = (200, 2_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
