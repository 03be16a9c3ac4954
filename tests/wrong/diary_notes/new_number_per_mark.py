"""Mistake: each mark gets a new number, even for a key seen before."""

from __future__ import annotations

import re


def diary_notes(text: str) -> str:
    pieces = re.split(r"\[([a-z0-9]+)\]", text)
    notes: list[str] = []
    for spot in range(1, len(pieces), 2):
        number = spot // 2 + 1
        notes.append(f"\n{number}={pieces[spot]}")
        pieces[spot] = f"[{number}]"
    return "".join(pieces + notes)
