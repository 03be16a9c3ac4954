"""Let skiers wait for a cabin lift.

topics: simulation, queues
"""

from __future__ import annotations

import random


def lift_queue(arrivals: list[int], every: int, seats: int, patience: int) -> list[int]:
    """Return for each skier how many minutes he waits for the lift, or -1 if he walks away.

    A cabin leaves at minute 0 and then every `every` minutes, without end; each takes at most
    `seats` skiers. `every` and `seats` are 1 or more. `arrivals` holds the minute when each skier
    comes, 0 or more, in no special order. Skiers queue in the order of coming; those of the same
    minute queue in list order. A skier who comes in the minute when a cabin leaves can still take
    it. One who has waited exactly `patience` minutes (0 or more) still takes a cabin that leaves
    then; if he would have to wait longer, he walks away before the next cabin leaves and takes no
    seat. Cabins leave even if nobody waits.

    >>> lift_queue([1, 1, 7, 2], 5, 2, 6)
    [4, 4, 3, -1]
    >>> lift_queue([3, 0, 0, 3], 3, 1, 3)
    [3, 0, 3, -1]
    """
    waits = [-1] * len(arrivals)
    leaves = -1
    free = 0
    for skier in sorted(range(len(arrivals)), key=arrivals.__getitem__):
        came = arrivals[skier]
        first = -(-came // every) * every
        if first > leaves:
            leaves, free = first, seats
        elif free == 0:
            leaves, free = leaves + every, seats
        if leaves - came <= patience:
            waits[skier] = leaves - came
            free -= 1
    return waits


def naive(arrivals: list[int], every: int, seats: int, patience: int) -> list[int]:
    """Same answers, going through the whole queue for each cabin."""
    waits = [-1] * len(arrivals)
    queue = sorted(range(len(arrivals)), key=arrivals.__getitem__)
    leaves = 0
    while queue:
        leaves = max(leaves, -(-arrivals[queue[0]] // every) * every)
        free = seats
        later: list[int] = []
        for skier in queue:
            wait = leaves - arrivals[skier]
            if wait < 0 or (free == 0 and wait <= patience):
                later.append(skier)
            elif wait <= patience:
                waits[skier] = wait
                free -= 1
        queue = later
        leaves += every
    return waits


CASES = [
    ([], 5, 2, 3),
    ([0], 5, 1, 0),
    ([1], 5, 1, 0),
    ([1], 1, 1, 0),
    ([5], 5, 1, 9),
    ([1, 6], 5, 1, 4),
    ([2, 2, 2], 4, 2, 9),
    ([2, 2, 2], 4, 2, 2),
    ([9, 3, 6, 0], 3, 1, 0),
    ([0, 0, 0, 0, 0], 2, 1, 6),
    ([0, 0, 0, 0, 3, 4], 4, 1, 4),
    ([8, 1, 1, 1, 1, 2, 9], 10, 3, 18),
    ([1, 1, 1, 1, 12], 5, 1, 9),
    ([4, 100, 4, 1000000000, 101], 7, 1, 20),
    ([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 3, 2, 5),
    ([1, 2, 3, 4, 5, 6, 7, 8], 6, 2, 10),
]


def scaled(n: int, seed: int = 0) -> tuple[list[int], int, int, int]:
    """n skiers who come faster than the cabins can take them."""
    rng = random.Random(n * 1009 + seed)
    return [rng.randint(0, n) for _ in range(n)], 3, 2, n // 3


SIZES = (80, 500, 15_000)
GROWTH = {"reference": "n log n", "naive": "n^2"}
