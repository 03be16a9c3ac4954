"""Mistake: keys are numbered in alphabetical order."""

from __future__ import annotations

import re


def diary_notes(text: str) -> str:
    pieces = re.split(r"\[([a-z0-9]+)\]", text)
    keys = sorted(set(pieces[1::2]))
    for spot in range(1, len(pieces), 2):
        pieces[spot] = f"[{keys.index(pieces[spot]) + 1}]"
    notes = [f"\n{number}={key}" for number, key in enumerate(keys, 1)]
    return "".join(pieces + notes)
