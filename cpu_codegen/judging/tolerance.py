"""numpy's `allclose(output, expected, rtol=1e-7, atol)`, without numpy where both are numbers or flat lists of numbers.

Everything else goes to numpy itself (100 ms to import, in the checker), broadcasts on empty arrays included.
"""

from __future__ import annotations

import math
from typing import Any

RELATIVE = 1e-7
_NUMBERS = frozenset((int, float, bool))
_INT64 = 1 << 63


def all_close(output: Any, expected: Any, absolute: float) -> bool:
    """As numpy says; raises what numpy raises."""
    if _is_number(output) and _is_number(expected):
        return _is_close(float(output), float(expected), absolute)
    if _is_flat(output) and _is_flat(expected) and len(output) == len(expected):
        return all(_is_close(float(a), float(b), absolute) for a, b in zip(output, expected, strict=True))
    import numpy

    return bool(numpy.allclose(output, expected, rtol=RELATIVE, atol=absolute))


def _is_number(value: Any) -> bool:
    """One that numpy turns into a 64-bit number."""
    return type(value) in _NUMBERS and (type(value) is float or -_INT64 <= value < _INT64)


def _is_flat(value: Any) -> bool:
    return type(value) in (list, tuple) and all(map(_is_number, value))


def _is_close(output: float, expected: float, absolute: float) -> bool:
    if math.isfinite(expected):
        return abs(output - expected) <= absolute + RELATIVE * abs(expected)
    return output == expected
