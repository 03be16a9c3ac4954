"""Mistake: equal tents are taken for one and the same."""

from __future__ import annotations


def lone_tents(tents: list[list[int]]) -> list[list[int]]:
    lone: list[list[int]] = []
    for left, right in tents:
        others = [tent for tent in tents if tent != [left, right]]
        if not any(start <= right and left <= end for start, end in others):
            lone.append([left, right])
    return sorted(lone)
