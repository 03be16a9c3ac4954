"""Count the stakes inside a closed rope.

topics: geometry, parsing
"""

from __future__ import annotations

import random


def rope_garden(moves: list[str]) -> int:
    """Return how many stakes stand strictly inside the closed rope.

    In a huge garden a stake stands at every point whose two coordinates are whole numbers. A rope
    is laid from stake to stake: each move is a direction, a space and a number of steps (1 or
    more), like "N 3" or "SW 1". N, E, S and W go to the next stake that way; NE, SE, SW and NW go
    to the next stake on the diagonal. The same direction may come again in the next move. The rope
    ends at the stake where it began, and nowhere else touches or crosses itself; it may run either
    way round. Stakes that the rope touches are not inside. Without moves, return 0.

    >>> rope_garden(["E 3", "N 2", "W 3", "S 2"])
    2
    >>> rope_garden(["NE 2", "SE 2", "W 4"])
    1
    """
    x = y = doubled = touched = 0
    for move in moves:
        way, count = move.split()
        steps = int(count)
        next_x = x + steps * (("E" in way) - ("W" in way))
        next_y = y + steps * (("N" in way) - ("S" in way))
        doubled += x * next_y - next_x * y
        touched += steps
        x, y = next_x, next_y
    return (abs(doubled) - touched + 2) // 2 if moves else 0


def naive(moves: list[str]) -> int:
    """Same answers, asking for each stake near the rope whether it is inside."""
    x = y = 0
    touched = [(0, 0)]
    lower: list[tuple[int, int]] = []  # the lower ends of all single steps up or down
    for move in moves:
        way, count = move.split()
        for _ in range(int(count)):
            before = (x, y)
            x += ("E" in way) - ("W" in way)
            y += ("N" in way) - ("S" in way)
            touched.append((x, y))
            if y != before[1]:
                lower.append(before if before[1] < y else (x, y))
    rope = set(touched)
    inside = 0
    for stake_x in range(min(rope)[0], max(rope)[0] + 1):
        for stake_y in range(min(y for _, y in rope), max(y for _, y in rope) + 1):
            if (stake_x, stake_y) not in rope:
                inside += sum(y == stake_y and x < stake_x for x, y in lower) % 2
    return inside


CASES = [
    ([],),
    (["E 1", "N 1", "W 1", "S 1"],),
    (["E 2", "N 2", "W 2", "S 2"],),
    (["N 2", "E 2", "S 2", "W 2"],),
    (["E 1", "E 4", "N 1", "N 2", "W 5", "S 3"],),
    (["NE 1", "SE 1", "SW 1", "NW 1"],),
    (["NW 1", "SW 1", "SE 1", "NE 1"],),
    (["NE 3", "SE 3", "SW 3", "NW 3"],),
    (["E 1", "N 1", "SW 1"],),
    (["E 6", "NW 3", "SW 3"],),
    (["E 10", "N 1", "W 10", "S 1"],),
    (["E 5", "N 5", "W 2", "S 3", "W 1", "N 3", "W 2", "S 5"],),
    (["S 4", "W 3", "N 1", "E 2", "N 2", "W 2", "N 1", "E 3"],),
    (["E 4", "N 2", "NW 2", "W 2", "S 4"],),
    (["W 12", "NE 4", "N 10", "E 3", "SE 5", "S 9"],),
]


def scaled(n: int, seed: int = 0) -> tuple[list[str]]:
    """A rope of about n moves around a long row of low towers."""
    rng = random.Random(n * 1009 + seed)
    heights = [rng.randint(1, 4) for _ in range(n // 2 + 1)]
    moves = [f"N {heights[0]}"]
    for height, following in zip(heights, [*heights[1:], 0], strict=True):
        moves.append("E 1")
        if following != height:
            moves.append(f"{'N' if following > height else 'S'} {abs(following - height)}")
    moves.append(f"W {len(heights)}")
    return (moves,)


SIZES = (60, 300, 6_000)
GROWTH = {"reference": "n", "naive": "n^2"}
