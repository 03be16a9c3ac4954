"""Two models (or styles, or quantizations) on the same problems: is there a difference, how large, could we have seen it?

Of two 0/1 verdicts per problem only the discordant ones tell: `b` problems that the first alone solved, `c` that the second
alone solved, of `n` problems. Differences are first minus second.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from cpu_codegen.stats.interval import Interval, normal_cdf, z_of
from cpu_codegen.stats.proportions import binomial_cdf, clopper_pearson

_EXACT_UP_TO = 14


def mcnemar_exact(b: int, c: int) -> float:
    """Two-sided p of "both solve equally many", by the binomial distribution of the discordant problems."""
    if b < 0 or c < 0:
        raise ValueError(f"counts of problems cannot be negative: {b}, {c}")
    return min(1.0, 2 * binomial_cdf(min(b, c), b + c, 0.5))


def tango(b: int, c: int, n: int, confidence: float = 0.95) -> Interval:
    """The score interval of (b - c) / n (Tango 1998); it holds without discordant problems too."""
    if b < 0 or c < 0 or b + c > n or n < 1:
        raise ValueError(f"{b} + {c} discordant problems of {n}")
    z, difference = z_of(confidence), (b - c) / n
    low = _bisect(lambda d: _tango_score(b, c, n, d) - z, -1.0, difference)
    high = _bisect(lambda d: _tango_score(b, c, n, d) + z, difference, 1.0)
    return Interval(low, high)


def mcnemar_interval(b: int, c: int, n: int, confidence: float = 0.95) -> Interval:
    """The interval of (b - c) / n that agrees with the exact test: it holds 0 exactly when `mcnemar_exact` is at least 0.05.

    Tango's, which is right about the size of the difference, stretched to the exact conditional one (Clopper and Pearson's of
    b among the discordant problems) where that reaches further: with few discordant problems the score test is too sure of itself.
    """
    score = tango(b, c, n, confidence)
    if b + c == 0:
        return score
    share, discordant = clopper_pearson(b, b + c, confidence), (b + c) / n
    return Interval(
        min(score.low, (2 * share.low - 1) * discordant), max(score.high, (2 * share.high - 1) * discordant)
    )


def _tango_score(b: int, c: int, n: int, difference: float) -> float:
    """How many standard errors the data lie above `difference`; the error as that difference restricts it."""
    linear = (2 * n - b + c) * difference - b - c
    constant = -c * difference * (1 - difference)
    share = (math.sqrt(max(0.0, linear * linear - 8 * n * constant)) - linear) / (4 * n)
    variance = n * (2 * share + difference * (1 - difference))
    distance = b - c - n * difference
    if variance <= 1e-15:
        return math.copysign(math.inf, distance) if abs(distance) > 1e-12 else 0.0
    return distance / math.sqrt(variance)


def _bisect(falling: Callable[[float], float], low: float, high: float) -> float:
    """The zero of a function that falls from `low` to `high`."""
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2


def paired_permutation(differences: Sequence[float], *, resamples: int = 10_000, seed: int = 0) -> float:
    """Two-sided p of "the mean difference is 0" by flipping signs: exactly for few differences, else by drawing.

    Drawn p values count the data themselves as one draw, so that none is 0 (Phipson and Smyth 2010).
    """
    moving = [d for d in differences if d != 0]
    seen = abs(math.fsum(moving)) - 1e-12 * math.fsum(map(abs, moving))
    if not moving:
        return 1.0
    if len(moving) <= _EXACT_UP_TO:
        sums = [0.0]
        for value in moving:
            sums = [total + signed for total in sums for signed in (value, -value)]
        return sum(abs(total) >= seen for total in sums) / len(sums)
    rng, total = random.Random(seed), math.fsum(moving)
    hits = sum(abs(_flipped(moving, total, rng.getrandbits(len(moving)))) >= seen for _ in range(resamples))
    return (hits + 1) / (resamples + 1)


def _flipped(values: list[float], total: float, bits: int) -> float:
    return total - 2 * sum(value for place, value in enumerate(values) if bits >> place & 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """p values corrected for how many comparisons were made (Holm 1979), in the given order."""
    corrected, running = [0.0] * len(p_values), 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[place]))
        corrected[place] = running
    return corrected


def power_paired(n: int, difference: float, discordant: float, *, confidence: float = 0.95) -> float:
    """The chance that n problems show a true difference when a share `discordant` of them differs (Connor 1987)."""
    if not 0 < abs(difference) <= discordant <= 1:
        raise ValueError(f"a difference of {difference} with {discordant} of the problems discordant")
    spread = math.sqrt(max(discordant - difference**2, 1e-12))
    return normal_cdf((abs(difference) * math.sqrt(n) - z_of(confidence) * math.sqrt(discordant)) / spread)


def detectable_difference(
    n: int, *, discordant: float = 0.3, power: float = 0.8, confidence: float = 0.95
) -> float | None:
    """The smallest difference of shares that n problems show with the given power; None where n problems show none."""
    if n < 1 or power_paired(n, discordant, discordant, confidence=confidence) < power:
        return None
    low, high = 0.0, discordant
    for _ in range(50):
        middle = (low + high) / 2
        enough = power_paired(n, middle, discordant, confidence=confidence) >= power
        low, high = (low, middle) if enough else (middle, high)
    return high
