"""The two shapes of an answer: an interval, and an estimate with its interval."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

_NORMAL = NormalDist()

FEWEST_PROBLEMS = 6
"""Fewer decide nothing at 95 %: five that differ by chance alone all differ the same way once in 16 times."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, both ends included. An end may be infinite where the data do not bound it."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """high - low."""
        return self.high - self.low

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and the number of observations behind it."""

    value: float
    low: float
    high: float
    n: int

    @property
    def interval(self) -> Interval:
        """The interval alone."""
        return Interval(self.low, self.high)


def z_of(confidence: float) -> float:
    """The two-sided normal quantile: 1.96 for 0.95."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence lies between 0 and 1, not {confidence}")
    return _NORMAL.inv_cdf((1 + confidence) / 2)


def normal_cdf(z: float) -> float:
    """P(Z ≤ z) of the standard normal distribution."""
    return _NORMAL.cdf(z)
