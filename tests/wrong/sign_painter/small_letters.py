"""Mistake: the kept letters become small letters."""

from __future__ import annotations


def sign_painter(text: str) -> str:
    low = text.lower()
    return "".join(mark if mark == " " or low.count(mark) > 1 else "_" for mark in low)
