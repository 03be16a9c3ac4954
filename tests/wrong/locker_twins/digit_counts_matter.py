"""Mistake: digits must also occur equally often."""

from __future__ import annotations


def locker_twins(numbers: list[int]) -> list[int]:
    keys = [sorted(str(number)) for number in numbers]
    return [keys.count(key) - 1 for key in keys]
