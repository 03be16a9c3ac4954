"""Mistake: a reading equal to the record is marked as well."""

from __future__ import annotations


def tide_strip(heights: list[int], width: int) -> list[str]:
    lines: list[str] = []
    record: int | None = None
    for height in heights:
        bar = "#" * min(height, width)
        if record is None or height >= record:
            record = height
            bar += "!"
        lines.append(bar)
    return lines
