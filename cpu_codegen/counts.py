"""Counts as people read them."""

from __future__ import annotations


def count_of(count: int, one: str, several: str = "") -> str:
    """`1 answer`, `3 answers`; `several` where the plural takes more than an s: ("answer is", "answers are")."""
    return f"{count} {one if count == 1 else several or one + 's'}"
