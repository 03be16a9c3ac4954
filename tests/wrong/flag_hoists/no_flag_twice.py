"""Mistake: a flag is used at most once in a hoist."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def flag_hoists(flags: str, length: int, start: int, count: int) -> Iterator[str]:
    hoists = ("".join(hoist) for hoist in itertools.permutations(flags, length))
    return itertools.islice(hoists, start, start + count)
