"""Mistake: stages with a question mark are added like all others."""

from __future__ import annotations


def trail_totals(plan: list[str]) -> list[str]:
    waiting: list[tuple[int, int]] = []
    result: list[str] = []
    for line in reversed(plan):
        if not line.strip():
            continue
        depth, *words, minutes = line.split()
        total = int(minutes)
        while waiting and waiting[-1][0] > int(depth):
            total += waiting.pop()[1]
        waiting.append((int(depth), total))
        result.append(f"{' '.join(words)}: {total}")
    return result[::-1]
