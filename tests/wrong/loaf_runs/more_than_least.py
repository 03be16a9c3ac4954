"""Mistake: a run of exactly the least weight is left out."""

from __future__ import annotations


def loaf_runs(loaves: list[int], size: int, least: int) -> list[int]:
    starts = range(len(loaves) - size + 1)
    return [start for start in starts if sum(loaves[start : start + size]) > least]
