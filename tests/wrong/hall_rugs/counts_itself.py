"""Mistake: a rug is counted as covering itself."""

from __future__ import annotations

from bisect import bisect_left, insort


def hall_rugs(rugs: list[list[int]]) -> list[int]:
    spans = [(min(rug), max(rug)) for rug in rugs]
    counts: dict[tuple[int, int], int] = {}
    ends: list[int] = []
    for first, last in sorted(spans, key=lambda span: (span[0], -span[1])):
        # of rugs at the same marks the last one sees all the others; its count is right for each
        counts[first, last] = len(ends) - bisect_left(ends, last) + 1
        insort(ends, last)
    return [counts[span] for span in spans]
