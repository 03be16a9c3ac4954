"""Mistake: a long tent further to the left is forgotten."""

from __future__ import annotations


def lone_tents(tents: list[list[int]]) -> list[list[int]]:
    order = sorted(tents)
    lone: list[list[int]] = []
    for spot, (left, right) in enumerate(order):
        if spot and order[spot - 1][1] >= left:
            continue
        if spot + 1 < len(order) and order[spot + 1][0] <= right:
            continue
        lone.append([left, right])
    return lone
