"""Mistake: the minutes of a question mark stage are dropped, but not those below it."""

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
            total += waiting.pop()[1]
        name = " ".join(words)
        waiting.append((level, total - int(minutes) if name.endswith("?") else total))
        result.append(f"{name}: {total}")
    return result[::-1]
