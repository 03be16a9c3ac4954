"""Mistake: records are judged by the drawn bar instead of the true height."""

from __future__ import annotations


def tide_strip(heights: list[int], width: int) -> list[str]:
    lines: list[str] = []
    record: int | None = None
    for height in heights:
        size = max(0, min(height, width))
        mark = ""
        if record is None or size > record:
            record = size
            mark = "!"
        lines.append("#" * size + mark)
    return lines
