"""Mistake: a rug that only overlaps is counted too."""

from __future__ import annotations


def hall_rugs(rugs: list[list[int]]) -> list[int]:
    spans = [(min(rug), max(rug)) for rug in rugs]
    return [sum(one <= last and first <= two for one, two in spans) - 1 for first, last in spans]
