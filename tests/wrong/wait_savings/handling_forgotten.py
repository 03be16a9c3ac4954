"""Mistake: the handling fee is not paid."""

from __future__ import annotations


def wait_savings(prices: list[int], handling: int) -> list[int]:
    return [price - min(prices[day:]) for day, price in enumerate(prices)]
