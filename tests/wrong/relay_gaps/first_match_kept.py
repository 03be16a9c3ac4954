"""Mistake: the earliest matching call is used instead of the most recent."""

from __future__ import annotations


def relay_gaps(calls: list[str]) -> list[int]:
    first: dict[str, int] = {}
    gaps: list[int] = []
    for spot, call in enumerate(calls):
        name = call.strip(" ").lower()
        if not name:
            gaps.append(0)
            continue
        gaps.append(spot - first.get(name[-1], spot))
        first.setdefault(name[0], spot)
    return gaps
