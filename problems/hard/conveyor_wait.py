"""Pick words from letters on an endless conveyor.

topics: strings, iterators
"""

from __future__ import annotations

import random
from bisect import bisect_left


def conveyor_wait(loop: str, words: list[str]) -> list[int]:
    """Return for each word how many letters pass until it is complete.

    The characters of `loop` pass a window one at a time, from the first to the last and then from
    the first again, forever. A picker completes the words in list order. For a word she needs its
    characters in order: she lets characters pass until the needed one comes, takes it, and goes on
    with the next needed one from the character after it. Taken characters are back on the loop in
    the next turn. Count all characters that pass, taken ones included, since the end of the
    previous word. An empty word counts 0. A word with a character that the loop lacks counts -1,
    and nothing passes for it. Case matters.

    >>> conveyor_wait("abca", ["ca", "b", "aa"])
    [4, 2, 3]
    >>> conveyor_wait("tin", ["nit", "", "x", "i"])
    [7, 0, -1, 1]
    """
    spots: dict[str, list[int]] = {}
    for spot, letter in enumerate(loop):
        spots.setdefault(letter, []).append(spot)
    waits: list[int] = []
    now = 0
    for word in words:
        if not spots.keys() >= set(word):
            waits.append(-1)
            continue
        wait = 0
        for letter in word:
            places = spots[letter]
            found = bisect_left(places, now)
            place = places[found] if found < len(places) else places[0] + len(loop)
            wait += place - now + 1
            now = (place + 1) % len(loop)
        waits.append(wait)
    return waits


def naive(loop: str, words: list[str]) -> list[int]:
    """Same answers, letting the letters pass one by one."""
    waits: list[int] = []
    now = 0
    for word in words:
        if any(letter not in loop for letter in word):
            waits.append(-1)
            continue
        wait = 0
        for letter in word:
            while True:
                passing = loop[now]
                now = (now + 1) % len(loop)
                wait += 1
                if passing == letter:
                    break
        waits.append(wait)
    return waits


CASES = [
    ("", []),
    ("", ["", "a"]),
    ("abc", []),
    ("a", ["a", "aaa", "b", "a"]),
    ("abc", ["abc", "abc"]),
    ("abc", ["cba", "cba"]),
    ("abc", ["c", "a", "ax", "b"]),
    ("abab", ["bb", "bb", "a"]),
    ("aab", ["aa", "a", "ba"]),
    ("Aa", ["a", "A", "aA", "b", "AA"]),
    ("x y", [" ", "y", "yx", "  "]),
    ("zzzq", ["q", "zq", "qq", "zz", "zz"]),
    ("banana", ["nab", "", "bb", "naan", "ab"]),
    ("abcd", ["d", "xa", "d", "ab?", "a"]),
]


def scaled(n: int, seed: int = 0) -> tuple[str, list[str]]:
    """A loop of n letters and n // 2 words made of its rare letters."""
    rng = random.Random(n * 1009 + seed)
    loop = ["o"] * n
    for letter in "abcdefgh":
        loop[rng.randrange(n)] = letter
    rare = sorted(set(loop))
    words: list[str] = []
    for _ in range(n // 2 + 1):
        words.append("".join(rng.choice(rare) for _ in range(rng.randint(3, 5))))
    return "".join(loop), words


SIZES = (80, 600, 3_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
