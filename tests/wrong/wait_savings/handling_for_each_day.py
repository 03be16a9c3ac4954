"""Mistake: the fee is paid for every day of waiting."""

from __future__ import annotations


def wait_savings(prices: list[int], handling: int) -> list[int]:
    savings: list[int] = []
    for day, price in enumerate(prices):
        best = 0
        for wait, later in enumerate(prices[day + 1 :], 1):
            best = max(best, price - later - handling * wait)
        savings.append(best)
    return savings
