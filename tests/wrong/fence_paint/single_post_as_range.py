"""Mistake: a single post is written as a range."""

from __future__ import annotations

from itertools import groupby


def fence_paint(posts: int, orders: list[str]) -> str:
    colours: dict[int, str] = {}
    for order in orders:
        span, colour = order.split()
        ends = [int(end) for end in span.split("-")]
        for post in range(min(ends), max(ends) + 1):
            colours[post] = colour
    runs: list[str] = []
    for colour, group in groupby(range(1, posts + 1), lambda post: colours.get(post, "bare")):
        run = list(group)
        runs.append(f"{run[0]}-{run[-1]} {colour}")
    return ", ".join(runs)
