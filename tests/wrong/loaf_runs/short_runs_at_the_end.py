"""Mistake: shorter runs at the end of the belt count too."""

from __future__ import annotations


def loaf_runs(loaves: list[int], size: int, least: int) -> list[int]:
    starts = range(len(loaves))
    return [start for start in starts if sum(loaves[start : start + size]) >= least]
