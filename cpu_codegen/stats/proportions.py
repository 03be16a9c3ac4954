"""Shares of problems solved: the unbiased pass@k and the intervals that go with it.

The rule of intervals (contracts §2): Wilson when each problem has one sample; else a bootstrap over problems, because samples
of one problem are not independent; where all problems score alike a bootstrap knows no spread, so Wilson over problems.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from cpu_codegen.stats.interval import Interval, z_of

BOOTSTRAP_RESAMPLES = 2000


def pass_at_k(n: int, c: int, k: int) -> float:
    """The chance that k of n samples, of which c passed, hold one that passed: 1 - C(n-c, k) / C(n, k) (Chen et al. 2021)."""
    if not (0 <= c <= n and 1 <= k <= n):
        raise ValueError(f"pass@{k} of {c} in {n} samples is not defined")
    if n - c < k:
        return 1.0
    return 1.0 - math.prod((n - c - i) / (n - i) for i in range(k))


def wilson(successes: float, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a share. `successes` may be fractional (a sum of per-problem scores). n = 0: all of [0, 1]."""
    if n == 0:
        return Interval(0.0, 1.0)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    z2, p = z_of(confidence) ** 2, successes / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (p * (1 - p) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if successes == 0 else max(0.0, middle - half)
    return Interval(low, 1.0 if successes == n else min(1.0, middle + half))


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """The exact interval of a share: never less sure than it says, so wider than Wilson's."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else _solve(lambda p: 1 - binomial_cdf(successes - 1, n, p) - tail)
    high = 1.0 if successes == n else _solve(lambda p: tail - binomial_cdf(successes, n, p))
    return Interval(low, high)


def binomial_cdf(k: int, n: int, p: float) -> float:
    """P(X ≤ k) for X ~ Binomial(n, p)."""
    if k < 0:
        return 0.0
    if k >= n or p <= 0:
        return 1.0
    if p >= 1:
        return 0.0
    log_p, log_q = math.log(p), math.log1p(-p)
    return min(1.0, math.fsum(math.exp(_log_comb(n, i) + i * log_p + (n - i) * log_q) for i in range(k + 1)))


def _log_comb(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _solve(rising: Callable[[float], float]) -> float:
    """The zero in [0, 1] of a function that rises."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def bootstrap_mean(
    values: Sequence[float], *, confidence: float = 0.95, seed: int = 0, resamples: int = BOOTSTRAP_RESAMPLES
) -> Interval:
    """Percentile bootstrap of a mean over problems; the same for equal values and seed on every machine.

    Its width is stretched by sqrt(n / (n - 1)): resampling n values loses that much spread.
    """
    n = len(values)
    if n == 0:
        raise ValueError("a mean of nothing")
    if n == 1:
        return Interval(-math.inf, math.inf)
    draw = random.Random(seed).choices
    means = sorted(sum(draw(values, k=n)) / n for _ in range(resamples))
    cut = (1 - confidence) / 2 * resamples
    middle, stretch = math.fsum(values) / n, math.sqrt(n / (n - 1))
    low, high = means[math.floor(cut)], means[math.ceil(resamples - cut) - 1]
    return Interval(middle + (low - middle) * stretch, middle + (high - middle) * stretch)


def score_interval(scores: Sequence[float], *, confidence: float = 0.95, seed: int = 0) -> Interval:
    """The interval of a mean of per-problem scores in [0, 1], by the rule of contracts §2 (this module's docstring)."""
    n, total = len(scores), math.fsum(scores)
    if all(score in (0.0, 1.0) for score in scores) or len(set(scores)) == 1:
        return wilson(min(total, n), n, confidence)
    drawn = bootstrap_mean(scores, confidence=confidence, seed=seed)
    return Interval(max(0.0, drawn.low), min(1.0, drawn.high))
