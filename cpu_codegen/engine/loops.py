"""Does an answer go round in circles? Pure.

A loop: the last tokens, at least MIN_TOKENS of them, are at least MIN_REPEATS repeats of one cycle of at most MAX_PERIOD tokens.
Looked for at every LOOP_EVERY-th token, which costs some two comparisons a token; it is found at most LOOP_EVERY tokens late.
"""

from __future__ import annotations

from collections.abc import Sequence

MIN_TOKENS = 256
MIN_REPEATS = 8
MAX_PERIOD = 64
LOOP_EVERY = 32


def goes_round(tokens: Sequence[int]) -> bool:
    """True when the tokens end in a loop."""
    count = len(tokens)
    if count < MIN_TOKENS:
        return False
    last = tokens[-1]
    periods = [p for p in range(1, MAX_PERIOD + 1) if tokens[-1 - p] == last]
    return any(_repeats(tokens, period, count) for period in periods)


def _repeats(tokens: Sequence[int], period: int, count: int) -> bool:
    length = max(MIN_TOKENS, MIN_REPEATS * period)
    if count < length or tokens[-1 - (MIN_REPEATS - 1) * period] != tokens[-1]:
        return False
    return tokens[-length + period :] == tokens[-length:-period]
