"""What the other of two runs buys for its extra time: problems solved more, hours more, and the one over the other. Pure.

Sums over the common problems, a problem's samples averaged; hours are shares of the engine's busy time (cost_s), so they do not
overlap in a batch. A quotient of two differences has no useful interval at these sizes: the intervals of pass@1 and of the seconds
stand in the same table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bought:
    """Solved problems and hours of both sides on the same `problems`."""

    problems: int
    solved: tuple[float, float]
    hours: tuple[float, float]

    @property
    def more(self) -> float:
        """Problems that the other solves more."""
        return self.solved[1] - self.solved[0]

    @property
    def extra_hours(self) -> float:
        """Hours that it takes more."""
        return self.hours[1] - self.hours[0]

    @property
    def per_hour(self) -> float | None:
        """Problems solved more for each extra hour; None unless it takes longer."""
        return self.more / self.extra_hours if self.extra_hours > 0 else None

    def sentence(self) -> str:
        """`+3.0 solved of 60 for 0.42 h more: 7.1 an extra hour; 98 v 61 solved an hour in all`."""
        rates = " v ".join(_rate(s, h) for s, h in zip(self.solved[::-1], self.hours[::-1], strict=True))
        what = f"{self.more:+.1f} solved of {self.problems} for {_hours(abs(self.extra_hours))}"
        if self.per_hour is None:
            return f"{what} less; {rates} solved an hour in all"
        each = f"{_rate(self.more, self.extra_hours)} an extra hour" if self.more > 0 else "nothing for the extra time"
        return f"{what} more: {each}; {rates} solved an hour in all"


def bought(
    solved: tuple[Mapping[str, float], Mapping[str, float]], seconds: tuple[Mapping[str, float], Mapping[str, float]]
) -> Bought | None:
    """From each problem's share solved and mean seconds, baseline first; None where no problem has all four."""
    common = sorted(set.intersection(*(set(values) for values in (*solved, *seconds))))
    if not common:
        return None
    passed = tuple(math.fsum(values[p] for p in common) for values in solved)
    hours = tuple(math.fsum(values[p] for p in common) / 3600 for values in seconds)
    return Bought(len(common), (passed[0], passed[1]), (hours[0], hours[1]))


def _rate(solved: float, hours: float) -> str:
    """Three figures, whole numbers with thousands from 100 on."""
    if hours <= 0:
        return "–"
    return f"{solved / hours:,.0f}" if solved / hours >= 100 else f"{solved / hours:.3g}"


def _hours(hours: float) -> str:
    """`0.42 h`, `8.4 s`."""
    return f"{hours:.2f} h" if hours >= 0.1 else f"{hours * 3600:.1f} s"
