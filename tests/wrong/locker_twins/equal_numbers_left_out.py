"""Mistake: lockers with equal numbers do not count as twins."""

from __future__ import annotations


def locker_twins(numbers: list[int]) -> list[int]:
    keys = {number: set(str(number)) for number in numbers}
    return [sum(digits == keys[number] for digits in keys.values()) - 1 for number in numbers]
