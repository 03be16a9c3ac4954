"""Mistake: the call is stored first, so it may answer itself and hide an earlier call."""

from __future__ import annotations


def relay_gaps(calls: list[str]) -> list[int]:
    latest: dict[str, int] = {}
    gaps: list[int] = []
    for spot, call in enumerate(calls):
        name = call.strip(" ").lower()
        if not name:
            gaps.append(0)
            continue
        latest[name[0]] = spot
        gaps.append(spot - latest.get(name[-1], spot))
    return gaps
