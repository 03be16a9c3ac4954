"""Mistake: spaces at the end of a line are kept."""

from __future__ import annotations


def harbour_table(rows: list[list[str]]) -> list[str]:
    size = max((len(row) for row in rows), default=0)
    widths = [max(len(row[c]) for row in rows if c < len(row)) for c in range(size)]
    lines: list[str] = []
    for row in rows:
        cells = [
            cell.rjust(width) if cell.removeprefix("-").isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths)
        ]
        lines.append("  ".join(cells))
    return lines
