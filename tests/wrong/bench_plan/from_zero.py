"""Mistake: benches are numbered from 0."""

from __future__ import annotations

from heapq import heappop, heappush


def bench_plan(visits: list[list[int]]) -> list[int]:
    plan = [0] * len(visits)
    benches: list[tuple[int, int]] = []
    for spot in sorted(range(len(visits)), key=visits.__getitem__):
        come, go = visits[spot]
        if benches and benches[0][0] <= come:
            bench = heappop(benches)[1]
        else:
            bench = len(benches)
        heappush(benches, (go, bench))
        plan[spot] = bench
    return plan
