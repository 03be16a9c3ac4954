"""Mistake: only panels that stand side by side are compared."""

from __future__ import annotations


def near_panels(panels: list[int], faulty: int) -> int:
    seen: dict[int, int] = {}
    pairs = 0
    for panel in panels:
        look = panel & ~faulty
        for lamp in range(10):
            pairs += seen.get(look ^ 1 << lamp, 0)
        seen = {look: 1}
    return pairs
