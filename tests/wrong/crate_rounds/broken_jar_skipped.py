"""Mistake: a broken jar is only skipped and its crate goes on."""

from __future__ import annotations

from collections.abc import Iterator


def crate_rounds(crates: list[str]) -> Iterator[str]:
    whole = [crate.replace("*", "") for crate in crates]
    for turn in range(max(map(len, whole), default=0)):
        yield "".join(crate[turn] for crate in whole if turn < len(crate))
