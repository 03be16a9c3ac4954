"""Mistake: each line gets the same number of words."""

from __future__ import annotations


def poster_lines(text: str, rows: int) -> list[str]:
    words = text.split()
    size = max(1, -(-len(words) // rows))
    return [" ".join(words[spot : spot + size]) for spot in range(0, len(words), size)]
