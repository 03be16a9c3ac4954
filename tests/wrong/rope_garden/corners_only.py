"""Mistake: only the corners of the rope are taken as touched."""

from __future__ import annotations


def rope_garden(moves: list[str]) -> int:
    x = y = doubled = touched = 0
    for move in moves:
        way, count = move.split()
        steps = int(count)
        next_x = x + steps * (("E" in way) - ("W" in way))
        next_y = y + steps * (("N" in way) - ("S" in way))
        doubled += x * next_y - next_x * y
        touched += 1
        x, y = next_x, next_y
    return (abs(doubled) - touched + 2) // 2 if moves else 0
