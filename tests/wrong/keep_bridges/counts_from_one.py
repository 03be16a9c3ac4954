"""Mistake: the positions count from 1."""

from __future__ import annotations


def keep_bridges(islands: int, bridges: list[list[int]]) -> list[int]:
    boss = list(range(islands))
    kept: list[int] = []
    for spot, (one, two) in enumerate(bridges):
        while boss[one] != one:
            boss[one] = boss[boss[one]]
            one = boss[one]
        while boss[two] != two:
            boss[two] = boss[boss[two]]
            two = boss[two]
        if one != two:
            boss[one] = two
            kept.append(spot + 1)
    return kept
