"""Mistake: a capital letter and its small letter count apart."""

from __future__ import annotations


def sign_painter(text: str) -> str:
    return "".join(mark if mark == " " or text.count(mark) > 1 else "_" for mark in text)
