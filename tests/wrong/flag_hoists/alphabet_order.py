"""Mistake: flags are ranked by the alphabet."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def flag_hoists(flags: str, length: int, start: int, count: int) -> Iterator[str]:
    hoists = (
        "".join(hoist)
        for hoist in itertools.product(sorted(flags), repeat=length)
        if all(one != two for one, two in zip(hoist, hoist[1:]))
    )
    return itertools.islice(hoists, start, start + count)
