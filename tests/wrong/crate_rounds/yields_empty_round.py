"""Mistake: the last round without jars is yielded as an empty string."""

from __future__ import annotations

from collections.abc import Iterator


def crate_rounds(crates: list[str]) -> Iterator[str]:
    used = [iter(crate) for crate in crates]
    while used:
        jars: list[str] = []
        still: list[Iterator[str]] = []
        for crate in used:
            jar = next(crate, "*")
            if jar != "*":
                jars.append(jar)
                still.append(crate)
        yield "".join(jars)
        used = still
