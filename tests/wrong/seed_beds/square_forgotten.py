"""Mistake: a square bed is missed because the range stops before the root."""

from __future__ import annotations

from math import isqrt


def seed_beds(seedlings: list[int], least: int) -> list[int]:
    beds: list[int] = []
    for number in seedlings:
        beds.append(sum(number % rows == 0 for rows in range(least, isqrt(number))))
    return beds
