"""Mistake: the number at the end of the day is returned."""

from __future__ import annotations

import re


def ferry_peak(log: str) -> int:
    aboard = 0
    for entry in log.split():
        if re.fullmatch(r"[+-][0-9]+", entry):
            aboard = max(0, aboard + int(entry))
    return aboard
