"""Mistake: the first use of every character is painted over."""

from __future__ import annotations


def sign_painter(text: str) -> str:
    low = text.lower()
    painted = ""
    for spot, mark in enumerate(text):
        painted += mark if mark == " " or low[spot] in low[:spot] else "_"
    return painted
