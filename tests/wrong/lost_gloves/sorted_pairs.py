"""Mistake: pairs are ordered by their first position."""

from __future__ import annotations


def lost_gloves(found: list[str]) -> list[list[int]]:
    waiting: dict[str, list[int]] = {}
    used: dict[str, int] = {}
    pairs: list[list[int]] = []
    for spot, glove in enumerate(found):
        other = glove[:-1] + ("R" if glove[-1] == "L" else "L")
        turn = used.get(other, 0)
        if turn < len(waiting.get(other, [])):
            pairs.append([waiting[other][turn], spot])
            used[other] = turn + 1
        else:
            waiting.setdefault(glove, []).append(spot)
    return sorted(pairs)
