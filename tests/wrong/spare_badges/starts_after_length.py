"""Mistake: numbers start after the length of the list, as if it had no gaps."""

from __future__ import annotations


def spare_badges(prefix: str, taken: list[str], count: int) -> list[str]:
    first = len(taken) + 1
    return [f"{prefix}-{number}" for number in range(first, first + count)]
