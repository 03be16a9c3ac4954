"""Mistake: a single space is painted over."""

from __future__ import annotations


def sign_painter(text: str) -> str:
    low = text.lower()
    return "".join(mark if low.count(mark.lower()) > 1 else "_" for mark in text)
