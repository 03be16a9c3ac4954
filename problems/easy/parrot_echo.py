"""Tell how long ago the harbour parrot heard a word.

topics: generators, dictionaries
"""

from __future__ import annotations

import random
from collections.abc import Iterator


def parrot_echo(words: list[str], memory: int) -> Iterator[int]:
    """Yield for each word how many words ago the parrot last heard it.

    The parrot hears the words one after another. For each word yield its distance to the nearest
    equal word before it: 1 if the word directly before is the same, 2 if the one before that is,
    and so on. Yield 0 if the word was never heard before, or if that distance is larger than
    `memory`, because the parrot has forgotten it by then. `memory` is 0 or more; with 0 every
    word gives 0. Words are equal only if they are the same string, case included; an empty string
    is a word too. No words yield nothing.

    >>> list(parrot_echo(["ahoy", "rum", "ahoy", "ahoy"], 5))
    [0, 0, 2, 1]
    >>> list(parrot_echo(["ahoy", "rum", "fog", "ahoy", "ahoy"], 2))
    [0, 0, 0, 0, 1]
    """
    heard: dict[str, int] = {}
    for spot, word in enumerate(words):
        ago = spot - heard.get(word, spot)
        yield ago if ago <= memory else 0
        heard[word] = spot


def naive(words: list[str], memory: int) -> Iterator[int]:
    """Same answers, searching backwards from each word."""
    for spot, word in enumerate(words):
        answer = 0
        for ago in range(1, min(spot, memory) + 1):
            if words[spot - ago] == word:
                answer = ago
                break
        yield answer


CASES = [
    ([], 3),
    (["ahoy"], 3),
    (["ahoy", "ahoy"], 0),
    (["ahoy", "ahoy"], 1),
    (["ahoy", "rum", "ahoy"], 1),
    (["ahoy", "rum", "ahoy"], 2),
    (["ahoy", "Ahoy", "ahoy "], 9),
    (["", "", "x", ""], 4),
    (["a", "b", "c", "a", "b", "c"], 3),
    (["a", "b", "c", "a", "b", "c"], 2),
    (["a", "a", "a", "a"], 2),
    (["a", "b", "b", "b", "a", "a"], 3),
    (["a", "b", "b", "b", "a", "a"], 4),
    (["sea", "sky", "sea", "fog", "sky", "sea", "sun"], 100),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str], int]:
    """n words, most of them heard for the first time."""
    rng = random.Random(n * 1009 + seed)
    return [f"word{rng.randrange(4 * n)}" for _ in range(n)], n


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
