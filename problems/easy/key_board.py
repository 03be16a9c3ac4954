"""List who holds which keys of a clubhouse.

topics: dictionaries, grouping
"""

from __future__ import annotations

import random


def key_board(holders: dict[str, str]) -> list[str]:
    """Return one line for each person who holds keys, most keys first.

    `holders` maps the name of each key to the name of the person who has it; an empty name means
    that the key hangs on the board, and such keys are left out. A line is the person's name, a
    colon, a space, and the names of all their keys in alphabetical order, joined by commas
    without spaces. People with equally many keys stand in alphabetical order. Alphabetical means
    the ordinary comparison of strings, and names that differ only in case are different people.
    If nobody holds a key, the list is empty.

    >>> key_board({"shed": "Ann", "attic": "Bob", "gate": "Bob"})
    ['Bob: attic,gate', 'Ann: shed']
    >>> key_board({"shed": "Zoe", "cellar": "", "gate": "Al"})
    ['Al: gate', 'Zoe: shed']
    """
    keys: dict[str, list[str]] = {}
    for key, person in holders.items():
        if person:
            keys.setdefault(person, []).append(key)
    people = sorted(keys, key=lambda person: (-len(keys[person]), person))
    return [f"{person}: {','.join(sorted(keys[person]))}" for person in people]


def naive(holders: dict[str, str]) -> list[str]:
    """Same answers, going through all keys for each person."""
    lines: list[tuple[int, str, str]] = []
    for person in {person for person in holders.values() if person}:
        keys = sorted(key for key, holder in holders.items() if holder == person)
        lines.append((-len(keys), person, ",".join(keys)))
    return [f"{person}: {keys}" for _, person, keys in sorted(lines)]


CASES = [
    ({},),
    ({"shed": ""},),
    ({"shed": "Ann"},),
    ({"shed": "Ann", "attic": "Ann"},),
    ({"shed": "Zoe", "attic": "Ann"},),
    ({"a": "Bob", "b": "Ann", "c": "Bob"},),
    ({"a": "Ann", "b": "Bob", "c": "Bob"},),
    ({"a": "ann", "b": "Ann", "c": "Bob"},),
    ({"z": "Cy", "M": "Cy", "a": "Cy"},),
    ({"key 10": "Di", "key 9": "Di", "": "Di"},),
    ({"a": "", "b": "", "c": "Ed", "d": ""},),
    ({"a": "X", "b": "Y", "c": "W", "d": "Y", "e": "W", "f": "V"},),
    ({"gate": " ", "door": "Jo Ann", "hall": "Jo"},),
    ({"a": "Flo", "b": "", "c": "Gus", "d": "Flo", "e": "Gus", "f": "Al"},),
]


def scaled(n: int, seed: int = 0) -> tuple[dict[str, str]]:
    """n keys held by about n / 2 people."""
    rng = random.Random(n * 1009 + seed)
    spots = list(range(n))
    rng.shuffle(spots)
    return ({f"key {spot}": rng.choice(["", *["p"] * 9]) and f"p{rng.randrange(n)}" for spot in spots},)


SIZES = (100, 600, 4_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
