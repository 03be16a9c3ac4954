"""Mistake: the span between the last noise and closing is missing."""

from __future__ import annotations


def quiet_spans(noises: list[list[int]], opening: int, closing: int, least: int) -> list[list[int]]:
    quiet: list[list[int]] = []
    free = opening
    for start, end in sorted(noises):
        stop = min(start, closing)
        if stop - free >= least:
            quiet.append([free, stop])
        free = max(free, end)
    return quiet
