"""Mistake: only the numbers 1 to count are tried, so the list may be short."""

from __future__ import annotations


def spare_badges(prefix: str, taken: list[str], count: int) -> list[str]:
    used = {text.lower() for text in taken}
    badges = [f"{prefix}-{number}" for number in range(1, count + 1)]
    return [badge for badge in badges if badge.lower() not in used]
