"""Mistake: capital letters make another tea."""

from __future__ import annotations

from collections.abc import Iterator


def tea_tasting(cups: list[str], memory: int) -> Iterator[str]:
    latest: dict[str, int] = {}
    drunk = 0
    for cup in cups:
        tea = cup
        if tea not in latest or drunk - latest[tea] > memory:
            yield cup
            latest[tea] = drunk
            drunk += 1
