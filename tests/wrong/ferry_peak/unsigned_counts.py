"""Mistake: a number without a sign counts as boarding."""

from __future__ import annotations


def ferry_peak(log: str) -> int:
    aboard = 0
    peak = 0
    for entry in log.split():
        try:
            change = int(entry)
        except ValueError:
            continue
        aboard = max(0, aboard + change)
        peak = max(peak, aboard)
    return peak
