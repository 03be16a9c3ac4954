"""Mistake: the loop stops one run too early."""

from __future__ import annotations


def loaf_runs(loaves: list[int], size: int, least: int) -> list[int]:
    starts = range(len(loaves) - size)
    return [start for start in starts if sum(loaves[start : start + size]) >= least]
