"""Mistake: runs that overlap an earlier one are skipped."""

from __future__ import annotations


def loaf_runs(loaves: list[int], size: int, least: int) -> list[int]:
    starts: list[int] = []
    start = 0
    while start + size <= len(loaves):
        if sum(loaves[start : start + size]) >= least:
            starts.append(start)
            start += size
        else:
            start += 1
    return starts
