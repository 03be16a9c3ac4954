"""Mistake: the lengths of the chosen pipes are returned, not their positions."""

from __future__ import annotations

from bisect import bisect_right


def pipe_steps(lengths: list[int], gap: int) -> list[int]:
    ends: list[int] = []  # the shortest last pipe of a choice of 1, 2, ... pipes
    last: list[int] = []  # its position
    before = [-1] * len(lengths)
    for spot, length in enumerate(lengths):
        size = bisect_right(ends, length - gap)
        if size:
            before[spot] = last[size - 1]
        if size == len(ends):
            ends.append(length)
            last.append(spot)
        elif length < ends[size]:
            ends[size] = length
            last[size] = spot
    chosen: list[int] = []
    spot = last[-1] if last else -1
    while spot >= 0:
        chosen.append(lengths[spot])
        spot = before[spot]
    return chosen[::-1]
