"""Mistake: lamps are reported in the order they were lit."""

from __future__ import annotations

from collections.abc import Iterator


def lamp_relay(signal: str) -> Iterator[str]:
    lit = ""
    for mark in signal:
        if mark == "?":
            yield lit
        elif mark == ".":
            lit = ""
        elif mark in lit:
            lit = lit.replace(mark, "")
        elif "a" <= mark <= "z":
            lit += mark
