"""Mistake: the noises are taken in the order given."""

from __future__ import annotations


def quiet_spans(noises: list[list[int]], opening: int, closing: int, least: int) -> list[list[int]]:
    quiet: list[list[int]] = []
    free = opening
    for start, end in [*noises, [closing, closing]]:
        stop = min(start, closing)
        if stop - free >= least:
            quiet.append([free, stop])
        free = max(free, end)
    return quiet
