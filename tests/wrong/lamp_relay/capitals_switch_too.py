"""Mistake: capital letters switch lamps as well."""

from __future__ import annotations

from collections.abc import Iterator


def lamp_relay(signal: str) -> Iterator[str]:
    lit: set[str] = set()
    for mark in signal.lower():
        if mark == "?":
            yield "".join(sorted(lit))
        elif mark == ".":
            lit.clear()
        elif mark.isalpha():
            lit ^= {mark}
