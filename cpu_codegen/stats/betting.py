"""Tests and intervals by betting: they hold at every look, however often one looks and whenever one stops.

A gambler bets a share of his capital on each observation at odds that are fair if a claim is true. By Ville's inequality he
multiplies his capital by 1/α or more, ever, with probability α at most; capital is evidence against the claim. Formulas:
Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (JRSS B 86, 2024). The share λ is spread
evenly over [0, 1] (a mixture), so the capital does not depend on the order of the observations inside a look.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from cpu_codegen.stats.interval import Estimate

_STEPS_OF_DEGREE = 16


def log_capital(gains: Sequence[float]) -> float:
    """ln E with E = ∫₀¹ Π(1 + λ·gain) dλ: the capital after bets on "the mean gain is at most 0"; each gain is ≥ -1.

    The integrand is a polynomial and nowhere negative, so Gauss and Legendre's rule of enough nodes gives the integral itself,
    without cancellation; logarithms keep long products inside the range of a float.
    """
    counted = Counter(gain for gain in gains if gain != 0)
    if any(gain < -1 for gain in counted):
        raise ValueError(f"a gain of {min(counted)}: more than the stake cannot be lost")
    degree = counted.total()
    nodes = gauss_legendre(-(-(degree + 1) // (2 * _STEPS_OF_DEGREE)) * _STEPS_OF_DEGREE)
    logs = [
        math.log(weight) + math.fsum(times * math.log1p(place * gain) for gain, times in counted.items())
        for place, weight in nodes
    ]
    top = max(logs)
    return top + math.log(math.fsum(math.exp(value - top) for value in logs))


@lru_cache(maxsize=32)
def gauss_legendre(nodes: int) -> tuple[tuple[float, float], ...]:
    """Places and weights on [0, 1] that integrate polynomials up to degree 2·nodes - 1 without error (Newton's iteration)."""
    found = []
    for rank in range(nodes):
        x = math.cos(math.pi * (rank + 0.75) / (nodes + 0.5))
        for _ in range(100):
            value, slope = _legendre(nodes, x)
            x, step = x - value / slope, value / slope
            if abs(step) < 1e-15:
                break
        slope = _legendre(nodes, x)[1]
        found.append(((1 + x) / 2, 1 / ((1 - x * x) * slope * slope)))
    return tuple(found)


def _legendre(degree: int, x: float) -> tuple[float, float]:
    """The Legendre polynomial of this degree and its derivative at x, by Bonnet's recursion."""
    before, value = 1.0, x
    for order in range(2, degree + 1):
        before, value = value, ((2 * order - 1) * x * value - (order - 1) * before) / order
    return value, degree * (x * value - before) / (x * x - 1)


def anytime_mean(scores: Sequence[float], *, confidence: float = 0.95) -> Estimate:
    """The mean of scores in [0, 1] with an interval that holds at all looks at once, so also at one that stopped a model.

    A hedged-capital confidence sequence (Theorem 3 there): one gambler bets that the mean lies above m, one that it lies below;
    every m at which neither has 2/α times his stake belongs to the interval. No scores: all of [0, 1].
    """
    n = len(scores)
    if n == 0:
        return Estimate(math.nan, 0.0, 1.0, 0)
    if not all(0 <= score <= 1 for score in scores):
        raise ValueError("scores lie between 0 and 1")
    mean, limit = math.fsum(scores) / n, math.log(2 / (1 - confidence))
    low = _lowest(scores, mean, limit)
    high = 1 - _lowest([1 - score for score in scores], 1 - mean, limit)
    return Estimate(mean, min(low, mean), max(high, mean), n)


def _lowest(scores: Sequence[float], mean: float, limit: float) -> float:
    """The smallest m at which a bet on "more than m" has won less than the limit; that bet's capital falls with m."""
    if mean == 0:
        return 0.0
    low, high = 0.0, mean
    for _ in range(40):
        middle = (low + high) / 2
        enough = log_capital([score / middle - 1 for score in scores]) >= limit
        low, high = (middle, high) if enough else (low, middle)
    return low
