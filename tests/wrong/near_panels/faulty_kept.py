"""Mistake: only the broken lamps are compared."""

from __future__ import annotations


def near_panels(panels: list[int], faulty: int) -> int:
    seen: dict[int, int] = {}
    pairs = 0
    for panel in panels:
        look = panel & faulty
        for lamp in range(10):
            pairs += seen.get(look ^ 1 << lamp, 0)
        seen[look] = seen.get(look, 0) + 1
    return pairs
