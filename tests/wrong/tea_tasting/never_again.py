"""Mistake: a tea once drunk is refused for ever."""

from __future__ import annotations

from collections.abc import Iterator


def tea_tasting(cups: list[str], memory: int) -> Iterator[str]:
    latest: dict[str, int] = {}
    drunk = 0
    for cup in cups:
        tea = cup.lower()
        if tea not in latest:
            yield cup
            latest[tea] = drunk
            drunk += 1
