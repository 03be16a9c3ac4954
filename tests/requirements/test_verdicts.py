"""The rule of verdicts, and the words that stand beside them."""

from __future__ import annotations

import math
import random

import pytest

from cpu_codegen.errors import CheckFailed
from cpu_codegen.requirements import (
    Figure,
    Finding,
    Gate,
    Verdict,
    judge,
    parse_requirements,
    problems_wanted,
    require_a_pass,
)
from cpu_codegen.stats import wilson
from cpu_codegen.stats.quantiles import quantile


def judged(text: str, figure: Figure) -> Finding:
    """One term on one figure."""
    (term,) = parse_requirements(text)
    return judge(term, figure)


@pytest.mark.parametrize(
    ("text", "low", "high", "verdict"),
    [
        ("s_per_problem<60", 40, 59, "PASS"),
        ("s_per_problem<60", 40, 60, "INCONCLUSIVE"),
        ("s_per_problem<=60", 40, 60, "PASS"),
        ("s_per_problem<60", 60, 70, "FAIL"),
        ("s_per_problem<=60", 60, 70, "INCONCLUSIVE"),
        ("s_per_problem>60", 60, 70, "INCONCLUSIVE"),
        ("s_per_problem>=60", 60, 70, "PASS"),
        ("s_per_problem>60", 10, 60, "FAIL"),
        ("s_per_problem<60", 0, math.inf, "INCONCLUSIVE"),
        ("s_per_problem<60", 61, math.inf, "FAIL"),
    ],
)
def test_a_verdict_needs_the_whole_interval_on_one_side(text: str, low: float, high: float, verdict: str) -> None:
    """Claim: PASS where every value of the interval meets the limit, FAIL where none does, else INCONCLUSIVE."""
    assert judged(text, Figure((low + min(high, 100)) / 2, low, high, 60)).verdict == verdict


def test_a_maximum_is_judged_by_its_value() -> None:
    """Claim: a peak has no interval; it passes or fails, and its evidence shows none."""
    figure = Figure(1.9e9, 1.9e9, 1.9e9, 1, is_maximum=True)
    assert judged("ram<2G", figure).verdict == "PASS"
    assert judged("ram<1.9G", figure).verdict == "FAIL"
    assert judged("ram<2G", figure).evidence == "1.90 GB, limit 2.00 GB"


def test_what_was_not_measured_is_inconclusive_and_says_why() -> None:
    """Claim: the reason is the evidence."""
    found = judged("wh_per_problem<1", Figure(None, why="no readable counter"))
    assert (found.verdict, found.evidence) == (Verdict.INCONCLUSIVE, "not measured: no readable counter")


def test_the_issues_own_evidence() -> None:
    """Claim: 34 of 60 against one half reads as the issue writes it."""
    interval = wilson(34, 60)
    more = "lowcost60 has 60, add -s humaneval"
    found = judged("pass@1>0.5", Figure(34 / 60, interval.low, interval.high, 60, more=more))
    assert found.evidence == (
        "57 % [44, 68], limit 50 %: about 196 problems would decide if the rate stays; lowcost60 has 60, add -s humaneval"
    )


@pytest.mark.parametrize(("rate", "limit"), [(0.57, 0.5), (0.4, 0.5), (0.8, 0.7), (0.1, 0.05), (0.95, 0.9)])
def test_about_that_many_problems_decide(rate: float, limit: float) -> None:
    """Claim: with the number of problems that is named Wilson's interval lies on one side; with four fifths of it, it does not."""
    (term,) = parse_requirements(f"pass@1>{limit}")
    interval = wilson(rate * 20, 20)
    wanted = problems_wanted(term, Figure(rate, interval.low, interval.high, 20))
    assert wanted is not None
    for n, decided in ((wanted * 1.02 + 1, True), (wanted * 0.8, False)):
        found = wilson(rate * int(n), int(n))
        assert (found.low > limit or found.high < limit) is decided


def test_no_number_decides_at_the_limit_itself() -> None:
    """Claim: a rate that is the limit, and an interval without an end, get words instead of a number."""
    assert "no number of problems decides" in judged("pass@1>0.5", Figure(0.5, 0.3, 0.7, 20)).evidence
    assert judged("ttft<5s", Figure(1.0, 0.0, math.inf, 3)).evidence == "1 s [0, inf], limit 5 s: too few problems"


def test_a_model_is_as_good_as_its_worst_term() -> None:
    """Claim: FAIL before INCONCLUSIVE before PASS."""
    good, open_, bad = (judged("ttft<5s", Figure(v, v - 1, v + 1, 60)) for v in (2.0, 5.0, 9.0))
    assert Gate("m", "r", (good, open_, bad)).verdict == "FAIL"
    assert Gate("m", "r", (good, open_)).verdict == "INCONCLUSIVE"
    assert Gate("m", "r", (good, good)).verdict == "PASS"


def test_estimates_are_marked() -> None:
    """Claim: a verdict that rests on an estimate says so; an inconclusive one and a measured failure need no mark."""
    estimated = judged("ttft<5s", Figure(2.0, 1.0, 3.0, estimated=True))
    failed = judged("ram<1G", Figure(2e9, 2e9, 2e9, is_maximum=True))
    assert estimated.shown == "PASS (estimated)"
    assert Gate("m", "", (estimated,)).shown == "PASS (estimated)"
    assert Gate("m", "", (estimated, failed)).shown == "FAIL"
    assert judged("ttft<5s", Figure(5.0, 4.0, 6.0, estimated=True)).shown == "INCONCLUSIVE"


def test_one_model_that_passes_is_enough() -> None:
    """Claim: exit 7 unless some model passes; the error tells the first reason of each."""
    good, bad = (Gate(f"m{v:g}", "", (judged("ttft<5s", Figure(v, v, v)),)) for v in (2.0, 9.0))
    require_a_pass([bad, good], "ttft<5s")
    with pytest.raises(CheckFailed) as caught:
        require_a_pass([bad], "ttft<5s")
    assert caught.value.exit_code == 7
    assert "m9: FAIL (ttft<5s: 9 s [9, 9], limit 5 s)" in str(caught.value)


def test_quantiles_by_order_statistics() -> None:
    """Claim: a median is bounded from 6 values on, a 95th percentile from above from 72 on; ends are Conover's ranks."""
    assert math.isinf(quantile(range(5), 0.5).high)
    assert quantile(range(6), 0.5).interval.width == 5
    assert math.isinf(quantile(range(71), 0.95).high)
    assert math.isfinite(quantile(range(72), 0.95).high)
    median = quantile(range(1, 31), 0.5)
    assert (median.value, median.low, median.high) == (15.5, 10, 21)  # ranks 10 and 21 of 30


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_quantile_intervals_hold_what_they_promise(q: float) -> None:
    """Claim: over 400 samples of a skewed distribution at least 93 % of the intervals hold the true quantile."""
    draw = random.Random(1)
    true = -math.log(1 - q)
    hits = sum(true in quantile([draw.expovariate(1) for _ in range(80)], q).interval for _ in range(400))
    assert hits >= 0.93 * 400
