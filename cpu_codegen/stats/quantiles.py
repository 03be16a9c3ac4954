"""Quantiles with intervals that assume nothing of the distribution: order statistics and the binomial (Conover 1999, §3.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate

from cpu_codegen.stats.interval import Estimate
from cpu_codegen.stats.robust import median


def quantile(values: Sequence[float], q: float, *, confidence: float = 0.95) -> Estimate:
    """The q-quantile (the median for 0.5, else the nearest rank) with a two-sided interval.

    Each tail is at most half of what `confidence` leaves. An end that n values do not bound is infinite: at 0.95 a median takes 6
    values to be bounded, a 95th percentile 72 to be bounded from above.
    """
    if not values:
        raise ValueError("a quantile of nothing")
    if not 0 < q < 1:
        raise ValueError(f"a quantile lies between 0 and 1, not {q}")
    ordered, n, tail = sorted(values), len(values), (1 - confidence) / 2
    value = median(ordered) if q == 0.5 else ordered[math.ceil(q * n) - 1]
    at_most = _cumulative(n, q)
    below = sum(1 for rank in range(n) if at_most[rank] <= tail)
    above = next((rank for rank in range(1, n + 1) if 1 - at_most[rank - 1] <= tail), None)
    return Estimate(value, ordered[below - 1] if below else -math.inf, ordered[above - 1] if above else math.inf, n)


@lru_cache(maxsize=64)
def _cumulative(n: int, p: float) -> list[float]:
    """P(X ≤ k) for X ~ Binomial(n, p), k = 0 … n."""
    log_p, log_q, whole = math.log(p), math.log1p(-p), math.lgamma(n + 1)
    terms = (whole - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * log_p + (n - k) * log_q for k in range(n + 1))
    return list(accumulate(map(math.exp, terms)))
