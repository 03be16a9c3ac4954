"""Figures of tokens that come in problems: ratios of sums and quantiles, with intervals over problems, not over tokens.

Tokens of one problem are not independent, so whole problems are drawn. As in bootstrap_mean, intervals are percentile intervals
stretched by sqrt(n / (n - 1)); with one problem they are unbounded. The same for equal values and seed on every machine.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache

from cpu_codegen.stats.interval import Estimate
from cpu_codegen.stats.proportions import BOOTSTRAP_RESAMPLES


def ratio_of_sums(
    parts: Sequence[float], wholes: Sequence[float], *, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """Σ parts / Σ wholes over problems: a mean over tokens where the wholes are counts of tokens."""
    if not parts or len(parts) != len(wholes) or math.fsum(wholes) <= 0:
        raise ValueError("a ratio of nothing")

    def of(drawn: Sequence[int]) -> float:
        return sum(map(parts.__getitem__, drawn)) / sum(map(wholes.__getitem__, drawn))

    value = math.fsum(parts) / math.fsum(wholes)
    return _drawn(value, len(parts), of, confidence=confidence, seed=seed)


def pooled_quantile(
    groups: Sequence[Sequence[float]], share: float, *, confidence: float = 0.95, seed: int = 0
) -> Estimate:
    """The least value that at least `share` of all values (of all groups together) do not exceed."""
    if not 0 < share <= 1 or not any(groups):
        raise ValueError("a quantile of nothing")
    falling = sorted(((value, at) for at, group in enumerate(groups) for value in group), reverse=True)
    sizes = [len(group) for group in groups]

    def of(drawn: Sequence[int]) -> float:
        times = Counter(drawn)
        allowed = (1 - share) * sum(sizes[at] * count for at, count in times.items())
        above = 0
        for value, at in falling:
            above += times[at]
            if above > allowed + 1e-9:
                return value
        return falling[-1][0]

    return _drawn(of(range(len(groups))), len(groups), of, confidence=confidence, seed=seed)


def _drawn(value: float, n: int, of: Callable[[Sequence[int]], float], *, confidence: float, seed: int) -> Estimate:
    if n == 1:
        return Estimate(value, -math.inf, math.inf, 1)
    found = sorted(map(of, _draws(n, seed)))
    cut = (1 - confidence) / 2 * len(found)
    low, high = found[math.floor(cut)], found[math.ceil(len(found) - cut) - 1]
    stretch = math.sqrt(n / (n - 1))
    return Estimate(value, value + (low - value) * stretch, value + (high - value) * stretch, n)


@lru_cache(maxsize=4)
def _draws(n: int, seed: int) -> tuple[tuple[int, ...], ...]:
    """Which problems each resample takes; one ladder asks for the same ones some thirty times."""
    draw = random.Random(seed).choices
    return tuple(tuple(draw(range(n), k=n)) for _ in range(BOOTSTRAP_RESAMPLES))
