"""Ratios of sums and quantiles of tokens that come in problems: values against brute force, intervals over problems."""

from __future__ import annotations

import math
import random

import pytest

from cpu_codegen.stats import bootstrap_mean, pooled_quantile, ratio_of_sums


def test_a_ratio_is_that_of_the_sums() -> None:
    """A long problem weighs more than a short one; the value is no mean of ratios."""
    found = ratio_of_sums([1.0, 9.0], [10.0, 10.0 * 9])
    assert found.value == pytest.approx(10 / 100)
    assert found.n == 2


def test_with_equal_wholes_the_interval_is_that_of_the_mean() -> None:
    """The same draws, the same stretch as bootstrap_mean."""
    draw = random.Random(1)
    values = [draw.random() for _ in range(25)]
    found, mean = ratio_of_sums(values, [1.0] * 25), bootstrap_mean(values)
    assert (found.low, found.high) == pytest.approx((mean.low, mean.high))


def test_the_quantile_is_that_of_all_values_together() -> None:
    """Against sorting, for several shares and uneven problems."""
    draw = random.Random(2)
    groups = [[draw.expovariate(1) for _ in range(size)] for size in (1, 40, 7, 0, 300)]
    values = sorted(value for group in groups for value in group)
    for share in (0.5, 0.9, 0.99, 1.0):
        assert pooled_quantile(groups, share).value == values[math.ceil(share * len(values) - 1e-9) - 1]


def test_intervals_cover_what_they_should() -> None:
    """Problems that differ: of 80 samples of 30 problems about 95 % of the intervals hold the truth."""
    held = 0
    for seed in range(80):
        draw = random.Random(seed)
        sizes = [draw.randint(5, 40) for _ in range(30)]
        parts = [size * (0.3 + draw.gauss(0, 0.1)) for size in sizes]
        held += 0.3 in ratio_of_sums(parts, [float(size) for size in sizes]).interval
    assert 71 <= held <= 79


def test_one_problem_has_no_interval_and_none_has_no_value() -> None:
    """Unbounded, and an error."""
    assert math.isinf(ratio_of_sums([1.0], [2.0]).high)
    assert math.isinf(pooled_quantile([[1.0, 2.0]], 0.5).high)
    with pytest.raises(ValueError, match="nothing"):
        ratio_of_sums([], [])
    with pytest.raises(ValueError, match="nothing"):
        pooled_quantile([[]], 0.5)
