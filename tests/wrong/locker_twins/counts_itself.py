"""Mistake: every locker counts itself as a twin."""

from __future__ import annotations


def locker_twins(numbers: list[int]) -> list[int]:
    keys = [set(str(number)) for number in numbers]
    return [keys.count(key) for key in keys]
