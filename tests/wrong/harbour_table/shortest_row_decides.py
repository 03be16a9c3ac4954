"""Mistake: columns beyond the shortest row are lost."""

from __future__ import annotations


def harbour_table(rows: list[list[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines: list[str] = []
    for row in rows:
        cells = [
            cell.rjust(width) if cell.removeprefix("-").isdigit() else cell.ljust(width)
            for cell, width in zip(row, widths)
        ]
        lines.append("  ".join(cells).rstrip(" "))
    return lines
