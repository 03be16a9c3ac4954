"""See how much light a pile of punched cards lets through.

topics: bit work, prefix results
"""

from __future__ import annotations

import random
from itertools import accumulate
from operator import and_


def punch_light(cards: list[int], places: int) -> list[int]:
    """Return for each card how many places let light through once it is left out.

    Every card has the same number of places, `places`, which is 0 or more. A card is a whole
    number from 0 to 2**places - 1 whose 1-bits are punched holes. All cards lie on one pile; light
    shines through a place if every card of the pile has a hole there. For each card in turn,
    take the pile of all other cards and count the places through which light shines. A pile
    without cards lets light through all `places` places. The counts stand in the order of the
    cards. No cards give an empty list.

    >>> punch_light([0b110, 0b011, 0b010], 3)
    [1, 1, 1]
    >>> punch_light([5], 4)
    [4]
    """
    full = 2**places - 1
    before = accumulate(cards, and_, initial=full)
    after = list(accumulate(reversed(cards), and_, initial=full))
    after.reverse()
    return [(above & below).bit_count() for above, below in zip(before, after[1:], strict=False)]


def naive(cards: list[int], places: int) -> list[int]:
    """Same answers, laying the pile again for each card."""
    counts: list[int] = []
    for left_out in range(len(cards)):
        light = 2**places - 1
        for spot, card in enumerate(cards):
            if spot != left_out:
                light &= card
        counts.append(light.bit_count())
    return counts


CASES = [
    ([], 5),
    ([0], 0),
    ([0], 6),
    ([5], 4),
    ([0, 0], 3),
    ([0, 7], 3),
    ([7, 7, 7], 3),
    ([7, 7], 5),
    ([6, 3, 2], 3),
    ([5, 5, 4, 5], 3),
    ([0, 15, 15, 6], 4),
    ([14, 13, 11, 7], 4),
    ([1, 2, 4, 8], 4),
    ([255, 254, 255, 127], 8),
    ([2**40 - 1, 2**39], 40),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int]:
    """n cards of 24 places with few closed places each."""
    rng = random.Random(n * 1009 + seed)
    full = 2**24 - 1
    return [full ^ (1 << rng.randrange(16)) for _ in range(n)], 24


SIZES = (100, 1_000, 10_000)
GROWTH = {"reference": "n", "naive": "n^2"}
