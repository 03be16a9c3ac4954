"""Mistake: a distance equal to the memory counts as forgotten."""

from __future__ import annotations

from collections.abc import Iterator


def parrot_echo(words: list[str], memory: int) -> Iterator[int]:
    heard: dict[str, int] = {}
    for spot, word in enumerate(words):
        ago = spot - heard.get(word, spot)
        yield ago if ago < memory else 0
        heard[word] = spot
