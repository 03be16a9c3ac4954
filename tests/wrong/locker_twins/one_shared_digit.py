"""Mistake: one digit in common makes a twin."""

from __future__ import annotations


def locker_twins(numbers: list[int]) -> list[int]:
    keys = [set(str(number)) for number in numbers]
    return [sum(bool(key & other) for other in keys) - 1 for key in keys]
