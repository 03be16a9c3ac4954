"""Shares and their intervals agree with published tables and with scipy."""

from __future__ import annotations

import itertools
import math

import pytest
from scipy import stats as scipy_stats

from cpu_codegen.stats import Interval, bootstrap_mean, clopper_pearson, pass_at_k, score_interval, wilson

# Newcombe (1998), Statistics in Medicine 17:857, table I: method 3 (Wilson) and method 5 (Clopper–Pearson)
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0000, 0.1611), (0.0000, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]


@pytest.mark.parametrize(("successes", "n", "published", "exact"), NEWCOMBE)
def test_published_intervals(
    successes: int, n: int, published: tuple[float, float], exact: tuple[float, float]
) -> None:
    """Newcombe's table is reproduced to its last digit."""
    score, sure = wilson(successes, n), clopper_pearson(successes, n)
    assert (round(score.low, 4), round(score.high, 4)) == published
    assert (round(sure.low, 4), round(sure.high, 4)) == exact


@pytest.mark.parametrize("n", [1, 7, 60, 542])
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.99])
def test_scipy_intervals(n: int, confidence: float) -> None:
    """Wilson and Clopper–Pearson are scipy's for every count of a size."""
    for successes in range(0, n + 1, max(1, n // 7)):
        reference = scipy_stats.binomtest(successes, n)
        for method, ours in (("wilson", wilson), ("exact", clopper_pearson)):
            theirs = reference.proportion_ci(confidence, method)
            found = ours(successes, n, confidence)
            assert found.low == pytest.approx(theirs.low, abs=1e-9)
            assert found.high == pytest.approx(theirs.high, abs=1e-9)


def test_nothing_measured_bounds_nothing() -> None:
    """Without samples a share may be anything."""
    assert wilson(0, 0) == Interval(0.0, 1.0)


def test_impossible_counts_are_refused() -> None:
    """More successes than trials is a bug of the caller's and is said."""
    with pytest.raises(ValueError, match="5 successes of 4"):
        wilson(5, 4)
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(-1, 4)
    with pytest.raises(ValueError, match="confidence"):
        wilson(1, 4, 1.0)


def test_pass_at_k_counts_subsets() -> None:
    """pass@k is the share of k-subsets that hold a passed sample, counted one by one."""
    for n, c in [(5, 0), (5, 2), (7, 3), (6, 6)]:
        verdicts = [True] * c + [False] * (n - c)
        for k in range(1, n + 1):
            subsets = list(itertools.combinations(verdicts, k))
            assert pass_at_k(n, c, k) == pytest.approx(sum(map(any, subsets)) / len(subsets))


def test_pass_at_k_refuses_what_it_cannot_know() -> None:
    """pass@10 of 5 samples is not defined."""
    with pytest.raises(ValueError, match="pass@10"):
        pass_at_k(5, 1, 10)


def test_bootstrap_repeats() -> None:
    """Equal values and seed give equal intervals; another seed another one."""
    values = [((i * i) % 61) / 61 for i in range(40)]
    assert bootstrap_mean(values, seed=3) == bootstrap_mean(values, seed=3)
    assert bootstrap_mean(values, seed=3) != bootstrap_mean(values, seed=4)


def test_bootstrap_is_as_wide_as_scipys() -> None:
    """For 60 spread values our bootstrap agrees with scipy's percentile bootstrap within a tenth of its width."""
    values = [((i * 37) % 60) / 60 for i in range(60)]
    theirs = scipy_stats.bootstrap(
        (values,), statistic=lambda x, axis: x.mean(axis=axis), method="percentile", random_state=1
    ).confidence_interval
    ours = bootstrap_mean(values)
    assert ours.low == pytest.approx(theirs.low, abs=0.1 * ours.width)
    assert ours.high == pytest.approx(theirs.high, abs=0.1 * ours.width)


def test_bootstrap_of_one_value_is_unbounded() -> None:
    """One problem says nothing of others."""
    assert bootstrap_mean([0.5]) == Interval(-math.inf, math.inf)


def test_rule_of_intervals() -> None:
    """One sample each: Wilson. All alike: Wilson over problems. Else a bootstrap within [0, 1]."""
    assert score_interval([1.0, 0.0, 1.0, 1.0]) == wilson(3, 4)
    assert score_interval([0.5] * 8) == wilson(4, 8)
    mixed = score_interval([1.0, 1.0, 1.0, 0.9])
    assert mixed != wilson(3.9, 4)
    assert 0 <= mixed.low < 3.9 / 4 < mixed.high <= 1
