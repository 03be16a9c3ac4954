"""Mistake: the next spot that is at least as high is taken."""

from __future__ import annotations


def ridge_views(spots: list[list[int]]) -> list[int]:
    views: list[int] = []
    for spot, (_, height) in enumerate(spots):
        later = range(spot + 1, len(spots))
        views.append(next((other for other in later if spots[other][1] >= height), len(spots) - 1))
    return [*views[:-1], -1] if views else []
