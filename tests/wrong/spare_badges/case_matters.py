"""Mistake: upper and lower case count as different."""

from __future__ import annotations


def spare_badges(prefix: str, taken: list[str], count: int) -> list[str]:
    used = set(taken)
    badges: list[str] = []
    number = 1
    while len(badges) < count:
        badge = f"{prefix}-{number}"
        if badge not in used:
            badges.append(badge)
        number += 1
    return badges
