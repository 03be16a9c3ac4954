"""Mistake: old paint is not covered by later orders."""

from __future__ import annotations

from itertools import groupby


def fence_paint(posts: int, orders: list[str]) -> str:
    colours: dict[int, str] = {}
    for order in orders:
        span, colour = order.split()
        ends = [int(end) for end in span.split("-")]
        for post in range(min(ends), max(ends) + 1):
            colours.setdefault(post, colour)
    runs: list[str] = []
    for colour, group in groupby(range(1, posts + 1), lambda post: colours.get(post, "bare")):
        run = list(group)
        span = f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])
        runs.append(f"{span} {colour}")
    return ", ".join(runs)
