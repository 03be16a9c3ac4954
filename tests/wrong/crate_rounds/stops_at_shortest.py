"""Mistake: unpacking stops as soon as one crate is out of use."""

from __future__ import annotations

from collections.abc import Iterator


def crate_rounds(crates: list[str]) -> Iterator[str]:
    whole = [crate.split("*")[0] for crate in crates]
    for jars in zip(*whole):
        yield "".join(jars)
