"""Mistake: keys are replaced one after another, so new numbers are replaced again."""

from __future__ import annotations

import re


def diary_notes(text: str) -> str:
    keys = list(dict.fromkeys(re.findall(r"\[([a-z0-9]+)\]", text)))
    for number, key in enumerate(keys, 1):
        text = text.replace(f"[{key}]", f"[{number}]")
    for number, key in enumerate(keys, 1):
        text += f"\n{number}={key}"
    return text
