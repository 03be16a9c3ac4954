"""Robust location agrees with scipy and with brute force; its intervals hold what they promise."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from scipy import stats as scipy_stats

from cpu_codegen.stats import geometric_mean, hodges_lehmann, median, signed_rank_reach


def test_hodges_lehmann_is_the_median_of_walsh_averages() -> None:
    """One wild value moves it little; the value is the one counted by hand."""
    assert hodges_lehmann([1.0, 2.0, 3.0]).value == 2.0
    assert hodges_lehmann([1.0, 1.1, 0.9, 1.0, 1.05, 100.0]).value < 1.2


def test_interval_is_the_inverted_signed_rank_test() -> None:
    """Exactly the shifts that scipy's exact Wilcoxon test does not reject at 5 % lie inside."""
    rng = random.Random(5)
    values = [rng.gauss(1, 1) for _ in range(13)]
    found = hodges_lehmann(values)
    for shift in (found.low - 1e-6, found.high + 1e-6):
        assert scipy_stats.wilcoxon([v - shift for v in values], method="exact").pvalue <= 0.05
    for shift in (found.low + 1e-6, found.high - 1e-6):
        assert scipy_stats.wilcoxon([v - shift for v in values], method="exact").pvalue > 0.05


def test_six_values_are_needed() -> None:
    """At 95 % five values bound nothing (2 / 2^5 > 5 %), six do, by their extremes."""
    assert signed_rank_reach(5) == 0
    assert math.isinf(hodges_lehmann([1.0] * 5).high)
    found = hodges_lehmann([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])
    assert (found.low, found.high) == (1.0, 6.0)


def test_reach_by_enumeration() -> None:
    """The reach is the largest rank sum whose tail keeps within (1 - confidence) / 2, counted over all subsets."""
    n, confidence = 10, 0.95
    sums = [sum(ranks) for size in range(n + 1) for ranks in itertools.combinations(range(1, n + 1), size)]
    reach = signed_rank_reach(n, confidence)
    assert sum(total < reach for total in sums) / 2**n <= 0.025 < sum(total <= reach for total in sums) / 2**n


@pytest.mark.parametrize("n", [61, 80, 120])
def test_the_approximation_is_never_less_sure_than_the_exact_count(n: int) -> None:
    """Where counting all rank sums ends, the reach stays within their tail, and at most two short of it."""
    ways = [1]
    for rank in range(1, n + 1):
        ways = [
            (ways[i] if i < len(ways) else 0) + (ways[i - rank] if i >= rank else 0) for i in range(len(ways) + rank)
        ]
    reach = signed_rank_reach(n)
    assert sum(ways[:reach]) <= 0.025 * 2**n < sum(ways[: reach + 3])


def test_interval_covers() -> None:
    """At least 95 % of 600 intervals of skew-free noise hold the truth, give or take what 600 draws allow."""
    rng = random.Random(11)
    held = sum(0.0 in hodges_lehmann([rng.gauss(0, 1) for _ in range(9)]).interval for _ in range(600))
    assert held / 600 > 0.93


def test_median() -> None:
    """Even counts take the mean of the two middle values."""
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5
    assert median([3.0, 1.0, 2.0]) == 2.0
    with pytest.raises(ValueError, match="nothing"):
        median([])


def test_geometric_mean() -> None:
    """Twice as fast and twice as slow cancel; scipy's value; one problem has no bound; ratios are positive."""
    assert geometric_mean([0.5, 2.0]).value == pytest.approx(1.0)
    ratios = [1.0, 1.3, 0.8, 2.4, 1.1]
    found = geometric_mean(ratios)
    assert found.value == pytest.approx(scipy_stats.gmean(ratios))
    assert found.low < found.value < found.high
    assert geometric_mean([2.0]).high == math.inf
    with pytest.raises(ValueError, match="positive"):
        geometric_mean([1.0, 0.0])
