"""Mistake: the position counts from 1."""

from __future__ import annotations


def stage_sides(notes: list[str]) -> int:
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
            return number + 1
    return -1
