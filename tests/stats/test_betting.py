"""Betting: the integral is exact, the interval holds at every look."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest

from cpu_codegen.stats import anytime_mean, log_capital, wilson
from cpu_codegen.stats.betting import gauss_legendre


def _by_coefficients(gains: list[Fraction]) -> Fraction:
    """∫₀¹ Π(1 + λ·gain) dλ from the polynomial's coefficients, in exact arithmetic."""
    coefficients = [Fraction(1)]
    for gain in gains:
        raised = [Fraction(0), *(gain * value for value in coefficients)]
        coefficients = [a + b for a, b in zip([*coefficients, Fraction(0)], raised, strict=True)]
    return sum((value / (power + 1) for power, value in enumerate(coefficients)), Fraction(0))


@pytest.mark.parametrize("n", [0, 1, 2, 31, 32, 60, 224])
def test_the_capital_is_the_integral_itself(n: int) -> None:
    """Gains of every kind, the total loss included, up to the largest suites: 12 digits of the exact value."""
    draw = random.Random(n)
    gains = [draw.choice([-1.0, -0.5, -0.125, 0.0, 0.25, 1.0]) for _ in range(n)]
    exact = _by_coefficients([Fraction(gain) for gain in gains])
    assert math.exp(log_capital(gains)) == pytest.approx(float(exact), rel=1e-12)


def test_thousands_of_wins_do_not_overflow() -> None:
    """∫ (1 + λ)^n dλ = (2^(n+1) - 1) / (n + 1), beyond the range of a float for n = 1,500."""
    assert log_capital([1.0] * 1500) == pytest.approx(1501 * math.log(2) - math.log(1501), rel=1e-12)


def test_more_than_the_stake_cannot_be_lost() -> None:
    """A gain below -1 is a mistake of the caller."""
    with pytest.raises(ValueError, match="stake"):
        log_capital([0.5, -1.5])


def test_gauss_legendre_integrates_high_powers() -> None:
    """16 nodes: λ^31 exactly; the weights are those of [0, 1]."""
    nodes = gauss_legendre(16)
    assert math.fsum(weight for _, weight in nodes) == pytest.approx(1, rel=1e-13)
    assert math.fsum(weight * place**31 for place, weight in nodes) == pytest.approx(1 / 32, rel=1e-12)


def test_an_interval_that_may_be_looked_at_always_is_wider() -> None:
    """Against Wilson's, which holds at one look alone; and it turns with the scores."""
    for passed in (0, 7, 30, 60):
        scores = [1.0] * passed + [0.0] * (60 - passed)
        found, once = anytime_mean(scores), wilson(passed, 60)
        assert found.n == 60
        assert found.low <= once.low + 1e-9
        assert found.high >= once.high - 1e-9
        turned = anytime_mean([1 - score for score in scores])
        assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-9)


def test_the_ends_are_where_a_gambler_has_forty_times_his_stake() -> None:
    """Just inside the lower end neither bet has won 2/0.05; just outside the bet on "more" has."""
    scores = [1.0] * 24 + [0.5] * 6 + [0.0] * 30
    low = anytime_mean(scores).low
    assert log_capital([score / (low + 1e-6) - 1 for score in scores]) < math.log(40)
    assert log_capital([score / (low - 1e-6) - 1 for score in scores]) > math.log(40)


def test_the_interval_holds_at_all_looks_at_once() -> None:
    """300 runs of 60 problems with a true rate of 0.3, looked at after every 5: at most 5 % ever leave it out (seeded)."""
    draw, missed = random.Random(7), 0
    for _ in range(300):
        scores = [float(draw.random() < 0.3) for _ in range(60)]
        missed += any(_leaves_out(scores[:n], 0.3) for n in range(5, 61, 5))
    assert missed <= 15


def _leaves_out(scores: list[float], rate: float) -> bool:
    """Whether the interval after these scores does not hold the rate, without searching for its ends."""
    above = [score / rate - 1 for score in scores]
    below = [(1 - score) / (1 - rate) - 1 for score in scores]
    return max(log_capital(above), log_capital(below)) >= math.log(40)


def test_no_score_leaves_everything_open() -> None:
    """n = 0: all of [0, 1]; scores outside it are refused."""
    found = anytime_mean([])
    assert (found.low, found.high, found.n) == (0.0, 1.0, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        anytime_mean([1.5])
