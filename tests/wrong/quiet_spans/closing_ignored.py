"""Mistake: a span may run past closing to the next noise."""

from __future__ import annotations


def quiet_spans(noises: list[list[int]], opening: int, closing: int, least: int) -> list[list[int]]:
    quiet: list[list[int]] = []
    free = opening
    for start, end in [*sorted(noises), [closing, closing]]:
        stop = start
        if stop - free >= least:
            quiet.append([free, stop])
        free = max(free, end)
    return quiet
