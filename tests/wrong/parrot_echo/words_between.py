"""Mistake: the words in between are counted, not the distance."""

from __future__ import annotations

from collections.abc import Iterator


def parrot_echo(words: list[str], memory: int) -> Iterator[int]:
    heard: dict[str, int] = {}
    for spot, word in enumerate(words):
        ago = spot - heard.get(word, spot)
        yield ago - 1 if 0 < ago <= memory else 0
        heard[word] = spot
