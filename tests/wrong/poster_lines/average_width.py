"""Mistake: lines are filled greedily to the average length, which may need too many rows."""

from __future__ import annotations


def poster_lines(text: str, rows: int) -> list[str]:
    words = text.split()
    if not words:
        return []
    width = max(max(map(len, words)), -(-len(" ".join(words)) // rows))
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
