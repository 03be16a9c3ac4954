"""Mistake: spaces between words are left out of the line length."""

from __future__ import annotations


def poster_lines(text: str, rows: int) -> list[str]:
    words = text.split()
    width = max(map(len, words), default=0)
    while True:
        lines: list[list[str]] = []
        room = -1
        for word in words:
            room -= len(word)
            if room < 0:
                lines.append([])
                room = width - len(word)
            lines[-1].append(word)
        if len(lines) <= rows:
            return [" ".join(line) for line in lines]
        width += 1
