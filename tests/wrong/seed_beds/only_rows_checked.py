"""Mistake: the columns may be fewer than the least."""

from __future__ import annotations


def seed_beds(seedlings: list[int], least: int) -> list[int]:
    beds: list[int] = []
    for number in seedlings:
        pairs: set[tuple[int, ...]] = set()
        for rows in range(least, number + 1):
            if number % rows == 0:
                pairs.add(tuple(sorted((rows, number // rows))))
        beds.append(len(pairs))
    return beds
