"""Mistake: each pipe that fits after the last chosen one is taken."""

from __future__ import annotations


def pipe_steps(lengths: list[int], gap: int) -> list[int]:
    chosen: list[int] = []
    for spot, length in enumerate(lengths):
        if not chosen or lengths[chosen[-1]] + gap <= length:
            chosen.append(spot)
    return chosen
