"""Mistake: the record starts at zero, so low first readings are not marked."""

from __future__ import annotations


def tide_strip(heights: list[int], width: int) -> list[str]:
    lines: list[str] = []
    record = 0
    for height in heights:
        bar = "#" * min(height, width)
        if height > record:
            record = height
            bar += "!"
        lines.append(bar)
    return lines
