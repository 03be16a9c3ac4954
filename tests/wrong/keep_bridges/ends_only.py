"""Mistake: a bridge is dropped as soon as both its ends have some bridge."""

from __future__ import annotations


def keep_bridges(islands: int, bridges: list[list[int]]) -> list[int]:
    boss = list(range(islands))
    kept: list[int] = []
    for spot, (one, two) in enumerate(bridges):
        if one != two and (boss[one] == one or boss[two] == two):
            boss[one] = boss[two] = -1
            kept.append(spot)
    return kept
