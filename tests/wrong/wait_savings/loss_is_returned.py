"""Mistake: a loss is returned as a negative saving."""

from __future__ import annotations


def wait_savings(prices: list[int], handling: int) -> list[int]:
    savings: list[int] = []
    for day, price in enumerate(prices):
        later = prices[day + 1 :]
        savings.append(price - min(later) - handling if later else 0)
    return savings
