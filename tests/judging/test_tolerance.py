"""Our allclose is numpy's."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import numpy
import pytest

from cpu_codegen.judging.tolerance import RELATIVE, all_close

VALUES = [0, 1, -1, 1.0, 1.0 + 1e-6, 1.0 + 2e-6, 1e9, 1e9 + 50, 1000000050, True, False, 1e300, -0.0, 2**62, 2**53 + 1]
VALUES += [math.inf, -math.inf, math.nan, 5e-324]


def test_numbers_and_flat_lists_agree_with_numpy() -> None:
    """Whatever the two numbers are, and in lists of them, the answer is numpy's."""
    rng = random.Random(0)
    for _ in range(3000):
        absolute = rng.choice([1e-6, 1e-4])
        a, b = rng.choice(VALUES), rng.choice(VALUES)
        with numpy.errstate(all="ignore"):
            assert all_close(a, b, absolute) == numpy.allclose(a, b, rtol=RELATIVE, atol=absolute), (a, b)
            ours = [rng.choice(VALUES) for _ in range(3)]
            theirs = [v if rng.random() < 0.7 else rng.choice(VALUES) for v in ours]
            assert all_close(ours, theirs, absolute) == numpy.allclose(ours, theirs, rtol=RELATIVE, atol=absolute)


def test_what_numpy_refuses_is_refused() -> None:
    """Texts and lists of other lengths raise there, so they raise here."""
    for output, expected in (("a", 1.0), ([1.0, "x"], [1.0, 2.0]), ([1.0, 2.0, 3.0], [1.0, 2.0])):
        with pytest.raises((TypeError, ValueError)):
            numpy.allclose(output, expected, rtol=1e-7, atol=1e-6)
        with pytest.raises((TypeError, ValueError)):
            all_close(output, expected, 1e-6)


def test_integers_beyond_64_bits_are_left_to_numpy() -> None:
    """Whatever this numpy says of them (releases differ: refused, or compared as objects)."""

    def said(compare: Callable[[], object]) -> object:
        try:
            return bool(compare())
        except (TypeError, ValueError) as error:
            return type(error).__name__

    for expected in (1.0, 2.0**70):
        by_numpy = said(lambda e=expected: numpy.allclose(2**70, e, rtol=1e-7, atol=1e-6))  # type: ignore[misc]
        assert said(lambda e=expected: all_close(2**70, e, 1e-6)) == by_numpy  # type: ignore[misc]


def test_an_empty_broadcast_is_close_as_in_numpy() -> None:
    """EvalPlus accepts [[]] for [3.0]; the parity rule inherits that from numpy."""
    assert all_close([[]], [3.0], 1e-6)
