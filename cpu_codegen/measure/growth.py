"""How cost grows with size: the exponent between the two largest sizes that were measured.

`exponent` e means cost ~ n^e there. A logarithm adds a little: n log n has about 1.1 to 1.2 at our sizes, so `like` names every
common class whose own exponent between the same two sizes lies within the interval.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cpu_codegen.measure.blocks import estimate

CLASSES: dict[str, Callable[[float], float]] = {
    "1": lambda n: 1.0,
    "log n": lambda n: math.log(n),
    "n": lambda n: n,
    "n log n": lambda n: n * math.log(n),
    "n^1.5": lambda n: n**1.5,
    "n^2": lambda n: n**2,
    "n^2 log n": lambda n: n**2 * math.log(n),
    "n^3": lambda n: n**3,
}
_PAGES_BYTES = 150_000  # how exactly growth of resident memory is known
_LEAST_BYTES = 300_000


@dataclass(frozen=True, slots=True)
class Growth:
    """An exponent with its interval, the sizes it holds between, and the classes that it is compatible with."""

    exponent: float
    low: float
    high: float
    sizes: tuple[int, int]
    like: tuple[str, ...]


def class_exponent(name: str, sizes: tuple[int, int]) -> float:
    """The exponent that a class has between two sizes; NaN where it has none (log 1 = 0)."""
    small, large = sizes
    if CLASSES[name](small) <= 0:
        return math.nan
    return math.log(CLASSES[name](large) / CLASSES[name](small)) / math.log(large / small)


def time_growth(lower_s: Sequence[float], upper_s: Sequence[float], sizes: tuple[int, int]) -> Growth | None:
    """From pairs of times, one pair per process. None where too few were taken, or the sizes do not grow from 1 or more."""
    if not 1 <= sizes[0] < sizes[1]:
        return None
    step = math.log(sizes[1] / sizes[0])
    exponents = [math.log(upper / lower) / step for lower, upper in zip(lower_s, upper_s, strict=True)]
    found = estimate(exponents) if exponents else None
    if found is None or math.isinf(found.low):
        return None
    return _growth(found.value, found.low, found.high, sizes)


def memory_growth(lower_bytes: int, upper_bytes: int, sizes: tuple[int, int]) -> Growth | None:
    """From two peaks. None where the smaller one is too small to be told from nothing, or the sizes do not grow."""
    if not 1 <= sizes[0] < sizes[1] or lower_bytes < _LEAST_BYTES or upper_bytes < _LEAST_BYTES:
        return None
    step = math.log(sizes[1] / sizes[0])
    low = math.log(max(upper_bytes - _PAGES_BYTES, 1) / (lower_bytes + _PAGES_BYTES)) / step
    high = math.log((upper_bytes + _PAGES_BYTES) / (lower_bytes - _PAGES_BYTES)) / step
    return _growth(math.log(upper_bytes / lower_bytes) / step, low, high, sizes)


def _growth(exponent: float, low: float, high: float, sizes: tuple[int, int]) -> Growth:
    own = {name: of_class for name in CLASSES if not math.isnan(of_class := class_exponent(name, sizes))}
    like = [name for name, value in own.items() if low <= value <= high]
    nearest = min(own, key=lambda name: abs(own[name] - exponent))
    return Growth(exponent, low, high, sizes, tuple(like or [nearest]))
