"""Mistake: visits are served in the order of the list, not of coming."""

from __future__ import annotations

from heapq import heappop, heappush


def bench_plan(visits: list[list[int]]) -> list[int]:
    plan = [0] * len(visits)
    benches: list[tuple[int, int]] = []
    for spot in range(len(visits)):
        come, go = visits[spot]
        if benches and benches[0][0] <= come:
            bench = heappop(benches)[1]
        else:
            bench = len(benches) + 1
        heappush(benches, (go, bench))
        plan[spot] = bench
    return plan
