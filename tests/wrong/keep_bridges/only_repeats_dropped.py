"""Mistake: only repeated bridges and those from an island to itself are dropped."""

from __future__ import annotations


def keep_bridges(islands: int, bridges: list[list[int]]) -> list[int]:
    seen: set[tuple[int, int]] = set()
    kept: list[int] = []
    for spot, (one, two) in enumerate(bridges):
        pair = (min(one, two), max(one, two))
        if one != two and pair not in seen:
            seen.add(pair)
            kept.append(spot)
    return kept
