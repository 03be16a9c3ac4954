"""Mistake: the number aboard may become negative."""

from __future__ import annotations

import re


def ferry_peak(log: str) -> int:
    aboard = 0
    peak = 0
    for entry in log.split():
        if re.fullmatch(r"[+-][0-9]+", entry):
            aboard += int(entry)
            peak = max(peak, aboard)
    return peak
