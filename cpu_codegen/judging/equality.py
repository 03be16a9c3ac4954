"""Are two plain values the same answer? The rule for our own problems ("strict"), as a careful person would read it.

    bool      equals only bool
    int       equals only int: 3.0 is no answer where 3 is expected
    float     equals float, and int of the same value; within 1e-9 relative or absolute (unless given); nan equals nan
    str, bytes, None, date, …   same type, equal
    list, tuple                 same type, same length, same items; an iterator counts as the list of its items
    set, frozenset              the same elements, either of the two types
    dict                        the same keys and values in any order; its subclasses (Counter, defaultdict, …) count as dict
    numpy scalars count as the Python number; numpy arrays equal only arrays; an object of any other class equals nothing

Not covered: EvalPlus's rules (comparators.py).
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

TOLERANCE = 1e-9


def normal(value: Any) -> Any:
    """An iterator as the list of its items, all else as it is."""
    return list(value) if isinstance(value, Iterator) else value


def same(expected: Any, got: Any, absolute: float = TOLERANCE, relative: float = TOLERANCE) -> bool:
    """True when `got` is the answer `expected`; floats may differ by so much."""
    expected, got = _plain(expected), _plain(got)
    if isinstance(expected, bool) or isinstance(got, bool):
        return type(expected) is type(got) and expected == got
    if isinstance(expected, float):
        return isinstance(got, float | int) and _close(expected, got, absolute, relative)
    if isinstance(expected, list | tuple):
        return (
            type(expected) is type(got)
            and len(expected) == len(got)
            and all(same(one, other, absolute, relative) for one, other in zip(expected, got, strict=True))
        )
    if isinstance(expected, dict):
        return isinstance(got, dict) and len(expected) == len(got) and _same_items(expected, got, absolute, relative)
    if isinstance(expected, set | frozenset):
        both = isinstance(got, set | frozenset) and len(expected) == len(got)
        return both and _same_items(_own(expected), _own(got), absolute, relative)
    if _is_array(expected) or _is_array(got):
        both = _is_array(expected) and _is_array(got)
        return both and same(expected.tolist(), got.tolist(), absolute, relative)
    return type(expected) is type(got) and bool(expected == got)


def _close(expected: float, got: float, absolute: float, relative: float) -> bool:
    if math.isnan(expected):
        return math.isnan(got)
    try:
        return math.isclose(expected, got, rel_tol=relative, abs_tol=absolute)
    except OverflowError:  # an int beyond any float
        return False


def _same_items(expected: dict[Any, Any], got: dict[Any, Any], absolute: float, relative: float) -> bool:
    """Keys are found by hash, then compared by our own rule, so that True is no 1 here either."""
    own_key = _own(got)
    return all(
        key in got and same(key, own_key[key], absolute, relative) and same(value, got[key], absolute, relative)
        for key, value in expected.items()
    )


def _own(keys: Any) -> dict[Any, Any]:
    return {key: key for key in keys}


def _plain(value: Any) -> Any:
    if isinstance(value, Iterator):
        return list(value)
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return value.item()
    return value


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)
