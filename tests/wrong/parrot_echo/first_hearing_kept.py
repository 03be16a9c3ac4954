"""Mistake: the distance goes to the first hearing, not the latest."""

from __future__ import annotations

from collections.abc import Iterator


def parrot_echo(words: list[str], memory: int) -> Iterator[int]:
    heard: dict[str, int] = {}
    for spot, word in enumerate(words):
        ago = spot - heard.setdefault(word, spot)
        yield ago if ago <= memory else 0
