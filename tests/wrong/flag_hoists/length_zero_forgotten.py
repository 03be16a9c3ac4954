"""Mistake: for length 0 nothing is yielded."""

from __future__ import annotations

import itertools
from collections.abc import Iterator


def flag_hoists(flags: str, length: int, start: int, count: int) -> Iterator[str]:
    number = 0
    for letters in itertools.product(flags, repeat=length):
        hoist = "".join(letters)
        if hoist and not any(flag * 2 in hoist for flag in flags):
            if start <= number < start + count:
                yield hoist
            number += 1
