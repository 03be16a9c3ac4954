"""Mistake: the parrot never forgets."""

from __future__ import annotations

from collections.abc import Iterator


def parrot_echo(words: list[str], memory: int) -> Iterator[int]:
    heard: dict[str, int] = {}
    for spot, word in enumerate(words):
        yield spot - heard.get(word, spot)
        heard[word] = spot
