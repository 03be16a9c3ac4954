"""Paired comparisons agree with published tables, with scipy, and with counting by hand."""

from __future__ import annotations

import itertools

import pytest
from scipy import stats as scipy_stats

from cpu_codegen.stats import (
    detectable_difference,
    holm,
    mcnemar_exact,
    paired_permutation,
    power_paired,
    tango,
)


def test_mcnemar_is_a_binomial_test() -> None:
    """The exact p is scipy's two-sided binomial p of the discordant problems."""
    for b, c in itertools.product(range(12), range(12)):
        expected = scipy_stats.binomtest(b, b + c).pvalue if b + c else 1.0
        assert mcnemar_exact(b, c) == pytest.approx(expected)


def test_published_airway_example() -> None:
    """Fagerland, Lydersen and Laake (2014), airway hyperresponsiveness: McNemar and Tango as printed there."""
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)
    score = tango(1, 7, 21)
    assert (round(score.low, 3), round(score.high, 3)) == (-0.517, -0.026)


def test_tango_without_discordant_problems() -> None:
    """Two models with equal verdicts everywhere still have an interval, symmetric about 0: z² / (z² + n)."""
    found = tango(0, 0, 60)
    assert found.high == pytest.approx(1.9599640**2 / (1.9599640**2 + 60), abs=1e-6)
    assert found.low == pytest.approx(-found.high)


def test_tango_mirrors() -> None:
    """Exchanging the models mirrors the interval, and it holds the observed difference."""
    for b, c, n in [(0, 5, 9), (3, 8, 60), (10, 0, 10), (1, 0, 1)]:
        one, other = tango(b, c, n), tango(c, b, n)
        assert one.low == pytest.approx(-other.high, abs=1e-9)
        assert one.low - 1e-9 <= (b - c) / n <= one.high + 1e-9
        assert -1 <= one.low <= one.high <= 1


def test_permutation_is_exact_for_few() -> None:
    """Up to 14 differences all sign flips are counted, as scipy does it."""
    differences = [0.5, -0.2, 0.9, 0.3, 0.0, 0.7, 0.1]
    theirs = scipy_stats.permutation_test(
        (differences, [0.0] * 7), lambda x, y: sum(x) - sum(y), permutation_type="samples", n_resamples=10**6
    )
    assert paired_permutation(differences) == pytest.approx(theirs.pvalue)


def test_permutation_of_signs_is_mcnemar() -> None:
    """On 0/1 verdicts the permutation test and the exact McNemar test are one; drawing comes near it, never to 0."""
    assert paired_permutation([1.0] * 9 + [-1.0] * 2) == pytest.approx(mcnemar_exact(9, 2))
    assert paired_permutation([1.0] * 15 + [-1.0] * 5) == pytest.approx(mcnemar_exact(15, 5), abs=0.01)
    assert 0 < paired_permutation([1.0] * 40) < 0.001
    assert paired_permutation([0.0, 0.0]) == 1.0


def test_holm_is_the_published_step_down() -> None:
    """Holm's correction keeps order and never lowers a p value (worked by hand)."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_power_agrees_with_the_binomial() -> None:
    """Connor's formula comes within 6 points of the exact power of McNemar's test summed over all tables."""
    n, discordant, difference = 60, 0.3, 0.18
    share = (discordant + difference) / (2 * discordant)
    exact = sum(
        scipy_stats.binom.pmf(m, n, discordant) * scipy_stats.binom.pmf(b, m, share)
        for m in range(n + 1)
        for b in range(m + 1)
        if mcnemar_exact(b, m - b) <= 0.05
    )
    # the exact test is conservative, so its power lies below the formula's
    assert exact - 0.02 < power_paired(n, difference, discordant) < exact + 0.12


def test_more_problems_see_smaller_differences() -> None:
    """The detectable difference falls with n, has the asked power there, and does not exist for very few problems."""
    sizes = [detectable_difference(n) for n in (60, 164, 542)]
    assert all(size is not None for size in sizes)
    assert sizes == sorted(sizes, reverse=True)
    assert power_paired(60, sizes[0] or 0, 0.3) == pytest.approx(0.8, abs=1e-6)
    assert detectable_difference(5) is None
