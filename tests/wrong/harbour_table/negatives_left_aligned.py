"""Mistake: a number with a minus sign is treated as text."""

from __future__ import annotations


def harbour_table(rows: list[list[str]]) -> list[str]:
    size = max((len(row) for row in rows), default=0)
    widths = [max(len(row[c]) for row in rows if c < len(row)) for c in range(size)]
    lines: list[str] = []
    for row in rows:
        cells: list[str] = []
        for cell, width in zip(row, widths):
            cells.append(cell.rjust(width) if cell.isdigit() else cell.ljust(width))
        lines.append("  ".join(cells).rstrip(" "))
    return lines
