"""Find the first stage note that cannot be true.

topics: graphs, parsing
"""

from __future__ import annotations

import random


def stage_sides(notes: list[str]) -> int:
    """Return the position of the first note that cannot be true together with all notes before it.

    Every actor enters the stage from the left or from the right, always from the same side; nobody
    knows from which. A note is "Ann with Bob" (both enter from the same side) or "Ann against Bob"
    (they enter from different sides). Names are single words without spaces; case matters. A note
    may name one actor twice, and notes may repeat. Positions count from 0. If all notes can be true
    together, return -1; so also for no notes.

    >>> stage_sides(["Ann with Bob", "Bob against Cid", "Cid with Ann", "Eve with Ann"])
    2
    >>> stage_sides(["Ann against Bob", "Bob against Cid", "Ann with Cid"])
    -1
    """
    boss: dict[str, str] = {}

    def find(node: str) -> str:
        while boss.setdefault(node, node) != node:
            boss[node] = boss[boss[node]]
            node = boss[node]
        return node

    for number, note in enumerate(notes):
        one, word, two = note.split()
        for side, other in ("LR", "RL"):
            boss[find(one + side)] = find(two + (side if word == "with" else other))
        if find(one + "L") == find(one + "R"):
            return number
    return -1


def naive(notes: list[str]) -> int:
    """Same answers, giving out the sides anew after each note."""
    links: dict[str, list[tuple[str, bool]]] = {}
    for number, note in enumerate(notes):
        one, word, two = note.split()
        links.setdefault(one, []).append((two, word == "with"))
        links.setdefault(two, []).append((one, word == "with"))
        side = {one: True}
        queue = [one]
        for actor in queue:
            for other, same in links[actor]:
                if other not in side:
                    side[other] = side[actor] == same
                    queue.append(other)
                elif side[other] != (side[actor] == same):
                    return number
    return -1


CASES = [
    ([],),
    (["Ann with Ann"],),
    (["Ann against Ann"],),
    (["Ann with Bob", "Bob with Ann"],),
    (["Ann with Bob", "Bob against Ann"],),
    (["Ann against Bob", "Ann against Bob", "ann with bob"],),
    (["a against b", "b against c", "c against a"],),
    (["a against b", "b against c", "c against d", "d against a"],),
    (["a with b", "c with d", "a against c", "b with d"],),
    (["a with b", "c with d", "a against c", "b against d", "d against a", "a with d"],),
    (["a against b", "c against d", "e against f", "b with c", "d with e", "a against f", "a with f"],),
    (["L with LR", "R against RL", "LR with R", "L with RL"],),
    (["with with against", "against against with"],),
    (["a with b", "b with c", "c with c", "x against x", "a against b"],),
    (["a against b", "x with y", "y against z", "z with a", "x with a", "b with x", "y against b"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """n notes that link all actors and are true, but perhaps for the last."""
    rng = random.Random(n * 1009 + seed)
    sides = [rng.random() < 0.5 for _ in range(n + 1)]
    notes: list[str] = []
    for spot in range(n):
        other = rng.randint(0, spot)
        same = sides[spot + 1] == sides[other]
        notes.append(f"actor{spot + 1} {'with' if same else 'against'} actor{other}")
    notes[-1:] = [f"actor{n // 2} with actor{n // 3}"]
    return (notes,)


SIZES = (60, 400, 4_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
