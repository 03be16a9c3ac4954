"""Mistake: the kiln is hot on some day, even at a loss."""

from __future__ import annotations

from collections import deque


def kiln_days(gains: list[int], limit: int, fee: int) -> int:
    starts = deque([(-1, 0)])  # cold days, each with the best amount before it less all gains up to it
    best = total = 0
    for day, gain in enumerate([*gains, 0]):
        while starts[0][0] < day - 1 - limit:
            starts.popleft()
        best = max(best, starts[0][1] + total - fee)
        total += gain
        while starts and starts[-1][1] <= best - total:
            starts.pop()
        starts.append((day, best - total))
    return best if best or not gains else max(gains) - fee
