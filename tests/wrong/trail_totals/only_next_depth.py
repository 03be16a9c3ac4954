"""Mistake: only stages exactly one deeper are added, so depth jumps are lost."""

from __future__ import annotations


def trail_totals(plan: list[str]) -> list[str]:
    waiting: list[tuple[int, int]] = []
    result: list[str] = []
    for line in reversed(plan):
        if not line.strip():
            continue
        depth, *words, minutes = line.split()
        level = int(depth)
        total = int(minutes)
        while waiting and waiting[-1][0] > level:
            deeper, part = waiting.pop()
            if deeper == level + 1:
                total += part
        name = " ".join(words)
        waiting.append((level, 0 if name.endswith("?") else total))
        result.append(f"{name}: {total}")
    return result[::-1]
