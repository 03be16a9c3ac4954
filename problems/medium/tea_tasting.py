"""Serve teas that the taster does not remember.

topics: generators, sliding windows
"""

from __future__ import annotations

import random
from collections.abc import Iterator


def tea_tasting(cups: list[str], memory: int) -> Iterator[str]:
    """Yield the teas that the taster drinks, in order.

    The cups are offered one after another. The taster remembers the last `memory` teas that were
    drunk (fewer at the beginning). A cup with a tea among them is refused, every other cup is
    drunk and yielded as it is written. Refused cups are not drunk, so they do not change what is
    remembered. Capital and small letters make no difference between teas: "Mint" and "MINT" are
    the same tea. Nothing else is ignored. Names are ASCII text and may be empty. With a `memory`
    of 0 every cup is drunk; it is never negative.

    >>> list(tea_tasting(["Mint", "sage", "mint", "Rose", "mint"], 2))
    ['Mint', 'sage', 'Rose', 'mint']
    >>> list(tea_tasting(["sage", "Sage"], 0))
    ['sage', 'Sage']
    """
    latest: dict[str, int] = {}
    drunk = 0
    for cup in cups:
        tea = cup.lower()
        if tea not in latest or drunk - latest[tea] > memory:
            yield cup
            latest[tea] = drunk
            drunk += 1


def naive(cups: list[str], memory: int) -> Iterator[str]:
    """Same answers, searching all remembered teas for each cup."""
    remembered: list[str] = []
    for cup in cups:
        if cup.lower() not in remembered:
            yield cup
            remembered.append(cup.lower())
            if len(remembered) > memory:
                remembered.pop(0)


CASES = [
    ([], 0),
    ([], 3),
    (["mint"], 0),
    (["mint", "mint"], 0),
    (["mint", "mint"], 1),
    (["mint", "MINT", "Mint"], 5),
    (["a", "b", "a", "b", "a"], 1),
    (["a", "b", "a", "b", "a"], 2),
    (["a", "a", "a", "b", "a"], 1),
    (["a", "b", "b", "b", "a", "c", "a"], 2),
    (["a", "b", "c", "a", "b", "c", "a"], 2),
    (["a", "b", "c", "d", "a", "b", "e", "a", "c"], 3),
    (["", "", "a", ""], 1),
    (["mint", "mint ", " mint", "mint"], 2),
    (["A b", "a B", "ab", "A B"], 1),
    (["x", "y", "x", "z", "x", "y"], 100),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], int]:
    """n cups and a memory of about half as many."""
    rng = random.Random(n * 1009 + seed)
    return [f"{rng.choice(['tea', 'Tea'])}{rng.randint(1, n)}" for _ in range(n)], n // 2


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
