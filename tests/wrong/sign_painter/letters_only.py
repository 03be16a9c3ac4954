"""Mistake: digits and punctuation are never painted over."""

from __future__ import annotations


def sign_painter(text: str) -> str:
    low = text.lower()
    kept = [not mark.isalpha() or low.count(mark.lower()) > 1 for mark in text]
    return "".join(mark if keep else "_" for mark, keep in zip(text, kept, strict=True))
