"""Mistake: only the next day's price is looked at."""

from __future__ import annotations

from itertools import pairwise


def wait_savings(prices: list[int], handling: int) -> list[int]:
    savings = [max(0, now - later - handling) for now, later in pairwise(prices)]
    return savings + [0] * min(1, len(prices))
