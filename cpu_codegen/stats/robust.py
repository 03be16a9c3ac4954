"""Location of times and ratios that a few wild values cannot move, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from cpu_codegen.stats.interval import Estimate, z_of
from cpu_codegen.stats.proportions import bootstrap_mean

_EXACT_UP_TO = 60


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two middle ones."""
    ordered, half = sorted(values), len(values) // 2
    if not ordered:
        raise ValueError("a median of nothing")
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def hodges_lehmann(values: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """The median of all pairwise means, with the interval of Wilcoxon's signed ranks (Hodges and Lehmann 1963).

    The interval assumes symmetry only, and is never less sure than `confidence`; at 0.95 it takes 6 values to have one, with
    fewer it is unbounded.
    """
    n = len(values)
    if n == 0:
        raise ValueError("an estimate from nothing")
    means = sorted((values[i] + values[j]) / 2 for i in range(n) for j in range(i, n))
    reach = signed_rank_reach(n, confidence)
    if reach == 0:
        return Estimate(median(means), -math.inf, math.inf, n)
    return Estimate(median(means), means[reach - 1], means[-reach], n)


@lru_cache(maxsize=512)
def signed_rank_reach(n: int, confidence: float = 0.95) -> int:
    """How many of the sorted pairwise means to count in from each end; 0 where n values allow no such interval."""
    tail = (1 - confidence) / 2
    if n > _EXACT_UP_TO:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        return math.floor(n * (n + 1) / 4 - z_of(confidence) * spread - 0.5)  # the approximation may be one too many
    allowed, below, reach = tail * 2**n, 0, 0
    for ways in _signed_rank_ways(n):
        below += ways
        if below > allowed:
            break
        reach += 1
    return reach


def _signed_rank_ways(n: int) -> list[int]:
    """For each sum of ranks 1..n: how many subsets have it."""
    ways = [1] + [0] * (n * (n + 1) // 2)
    for rank in range(1, n + 1):
        for total in range(len(ways) - 1, rank - 1, -1):
            ways[total] += ways[total - rank]
    return ways


def geometric_mean(ratios: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> Estimate:
    """The geometric mean of ratios over problems, with a bootstrap interval over problems (unbounded for one problem)."""
    if not ratios:
        raise ValueError("a mean of nothing")
    if min(ratios) <= 0:
        raise ValueError("a geometric mean needs positive ratios")
    logs = [math.log(ratio) for ratio in ratios]
    value = math.exp(math.fsum(logs) / len(logs))
    if len(logs) == 1:
        return Estimate(value, 0.0, math.inf, 1)
    drawn = bootstrap_mean(logs, confidence=confidence, seed=seed)
    return Estimate(value, math.exp(drawn.low), math.exp(drawn.high), len(logs))
