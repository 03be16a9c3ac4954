"""Mistake: empty calls are dropped before counting back."""

from __future__ import annotations


def relay_gaps(calls: list[str]) -> list[int]:
    latest: dict[str, int] = {}
    gaps: list[int] = []
    spot = 0
    for call in calls:
        name = call.strip(" ").lower()
        if not name:
            gaps.append(0)
            continue
        gaps.append(spot - latest.get(name[-1], spot))
        latest[name[0]] = spot
        spot += 1
    return gaps
