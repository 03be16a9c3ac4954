"""Exponents say how cost grows, with the classes that they are compatible with."""

from __future__ import annotations

import math
import random

import pytest

from cpu_codegen.measure.growth import CLASSES, class_exponent, memory_growth, time_growth

SIZES = (800, 5000)


@pytest.mark.parametrize("name", ["n", "n log n", "n^2", "n^3"])
def test_a_class_is_recognised(name: str) -> None:
    """Times that follow a class, with 2 % noise, give an interval that names the class."""
    rng = random.Random(1)
    lower = [CLASSES[name](SIZES[0]) * rng.lognormvariate(0, 0.02) for _ in range(12)]
    upper = [CLASSES[name](SIZES[1]) * rng.lognormvariate(0, 0.02) for _ in range(12)]
    found = time_growth(lower, upper, SIZES)
    assert found is not None
    assert name in found.like
    assert found.low <= class_exponent(name, SIZES) <= found.high


def test_linear_is_not_quadratic() -> None:
    """The interval tells n from n²."""
    found = time_growth([1.0] * 9, [SIZES[1] / SIZES[0]] * 9, SIZES)
    assert found is not None
    assert found.like == ("n",)


def test_few_pairs_have_no_exponent() -> None:
    """Without enough pairs there is no interval, hence no exponent."""
    assert time_growth([1.0] * 3, [2.0] * 3, SIZES) is None
    assert time_growth([], [], SIZES) is None


def test_logarithm_adds_to_the_exponent() -> None:
    """n log n has 1 + ln(ln b / ln a) / ln(b / a) between sizes a and b."""
    assert class_exponent("n log n", SIZES) == pytest.approx(
        1 + math.log(math.log(5000) / math.log(800)) / math.log(6.25)
    )


def test_memory_growth_needs_memory() -> None:
    """Peaks that cannot be told from nothing have no exponent; larger ones one with the page's uncertainty."""
    assert memory_growth(20_000, 90_000, SIZES) is None
    found = memory_growth(1_000_000, 6_250_000, SIZES)
    assert found is not None
    assert found.low < 1.0 < found.high
    assert "n" in found.like


@pytest.mark.parametrize("sizes", [(0, 10), (-5, 10), (7, 7), (10, 1)])
def test_sizes_that_do_not_grow_have_no_exponent(sizes: tuple[int, int]) -> None:
    """Files of other people may name any sizes; no exponent is no crash."""
    assert time_growth([0.001] * 9, [0.01] * 9, sizes) is None
    assert memory_growth(10**6, 10**7, sizes) is None


def test_from_size_one_on_a_logarithm_is_no_class() -> None:
    """log 1 = 0 has no exponent; the other classes have theirs."""
    found = time_growth([0.001] * 9, [0.1] * 9, (1, 10))
    assert found is not None
    assert found.exponent == pytest.approx(2.0)
    assert found.like == ("n^2",)
