"""Mistake: only notes about the same two actors are compared."""

from __future__ import annotations


def stage_sides(notes: list[str]) -> int:
    said: dict[frozenset[str], str] = {}
    for number, note in enumerate(notes):
        one, word, two = note.split()
        if one == two and word == "against":
            return number
        if said.setdefault(frozenset((one, two)), word) != word:
            return number
    return -1
