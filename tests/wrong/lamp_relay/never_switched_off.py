"""Mistake: a second letter does not switch the lamp off."""

from __future__ import annotations

from collections.abc import Iterator


def lamp_relay(signal: str) -> Iterator[str]:
    lit: set[str] = set()
    for mark in signal:
        if mark == "?":
            yield "".join(sorted(lit))
        elif mark == ".":
            lit.clear()
        elif "a" <= mark <= "z":
            lit.add(mark)
