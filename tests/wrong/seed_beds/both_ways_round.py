"""Mistake: 3 by 4 and 4 by 3 count as two beds."""

from __future__ import annotations


def seed_beds(seedlings: list[int], least: int) -> list[int]:
    beds: list[int] = []
    for number in seedlings:
        fitting = [rows for rows in range(least, number + 1) if number % rows == 0]
        beds.append(sum(number // rows >= least for rows in fitting))
    return beds
