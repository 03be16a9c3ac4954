"""Metrics of the literature, against their definitions counted by hand."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from cpu_codegen.measure import metrics


def record(problem: str = "p", status: str = "measured", **fields: Any) -> dict[str, Any]:
    """A record of efficiency.jsonl with what a test needs."""
    return {"problem_id": problem, "status": status, "cpu_ratio": None, **fields}


def ratio(value: float) -> dict[str, Any]:
    """A ratio as a record holds it."""
    return {"value": value, "low": value, "high": value, "n": 7}


def test_eff_at_k_is_the_mean_best_of_all_subsets() -> None:
    """ENAMEL's estimator equals the mean over all k-subsets of the best score in them."""
    scores = [0.0, 0.3, 0.9, 0.5, 0.3, 0.0]
    for k in range(1, len(scores) + 1):
        subsets = list(itertools.combinations(scores, k))
        assert metrics.eff_at_k(scores, k) == pytest.approx(sum(map(max, subsets)) / len(subsets))
    with pytest.raises(ValueError, match="eff@7"):
        metrics.eff_at_k(scores, 7)


def test_enamel_score() -> None:
    """As fast as the reference scores 1, twice its largest time 0; faster than it no more than 1."""
    reference = [0.001, 0.01, 0.1]

    def ladder(*times: float) -> dict[str, Any]:
        pairs = zip(times, reference, strict=False)
        rungs = [{"cpu_s": mine, "reference_cpu_s": theirs} for mine, theirs in pairs]
        return record(ladder=rungs, reference_ladder_s=reference)

    assert metrics.enamel_score(ladder(*reference)) == pytest.approx(1.0)
    assert metrics.enamel_score(ladder(0.0001, 0.001, 0.01)) == 1.0
    assert metrics.enamel_score(ladder(0.3, 0.3, 0.3)) == 0.0
    half = (3 + 3 + 4 * 0.5) / 10
    assert metrics.enamel_score(ladder(0.001, 0.01, 0.15)) == pytest.approx(half)
    assert metrics.enamel_score(ladder(0.001, 0.01)) == pytest.approx(0.6)  # the largest size ran into the limit
    assert metrics.enamel_score(record()) is None
    four = [0.0001, *reference]
    rungs = [{"cpu_s": mine, "reference_cpu_s": theirs} for mine, theirs in zip(four, four, strict=True)]
    assert metrics.enamel_score(record(ladder=rungs, reference_ladder_s=four)) == pytest.approx(1.0)
    assert metrics.enamel_score(record(ladder=rungs[:3], reference_ladder_s=four)) == pytest.approx(0.6)


def test_the_limit_of_an_enamel_score_is_taken_from_the_better_reference_times() -> None:
    """Timed beside the program in many blocks, a reference is known better than by its one call while scouting."""
    rung = {"cpu_s": 0.15, "reference_cpu_s": 0.1}
    assert metrics.enamel_score(record(ladder=[rung], reference_ladder_s=[0.17])) == pytest.approx(0.5)
    assert metrics.enamel_score(record(ladder=[], reference_ladder_s=[0.17])) == 0.0


def test_mean_ratio_averages_problems_not_samples() -> None:
    """Ten samples of one problem weigh as much as one of another; censored values are bounds, the rest is counted."""
    records = [record("a", cpu_ratio=ratio(2.0))] * 10 + [record("b", cpu_ratio=ratio(0.5))]
    found = metrics.mean_ratio([*records, record("c", "below_floor"), record("d", "not_measured")])
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(1.0)
    assert (found.problems, found.censored, found.left_out) == (2, 0, 2)
    bounded = metrics.mean_ratio([*records, record("e", "censored", cpu_ratio=ratio(30.0))])
    assert bounded.censored == 1
    assert bounded.estimate is not None
    assert bounded.estimate.value > 3
    assert metrics.mean_ratio([record(status="below_floor")]).estimate is None


def test_effibench_ratios_of_sums_and_geometric_means() -> None:
    """NET is the ratio of sums, so one slow problem rules it; its geometric mean is not ruled by one."""
    whole = {"rss_bytes": 2e7, "reference_rss_bytes": 1e7, "rss_byte_seconds": 3e6, "reference_rss_byte_seconds": 1e6}
    records = [
        record("a", wall_s=10.0, reference_wall_s=1.0, **whole),
        record("b", wall_s=0.01, reference_wall_s=0.01, **whole),
    ]
    found = metrics.effibench(records)
    assert found is not None
    assert found.et_s == pytest.approx(5.005)
    assert found.mu_mb == pytest.approx(20.0)
    assert found.net == pytest.approx(10.01 / 1.01)
    assert found.net_geometric.value == pytest.approx(math.sqrt(10))
    assert (found.nmu, found.ntmu) == (pytest.approx(2.0), pytest.approx(3.0))
    assert metrics.effibench([record("a", "censored", wall_s=1.0)]) is None


def test_places_between_naive_and_reference() -> None:
    """Beyond is linear, standing logarithmic; both are 1 at the reference, 0 at naive, and never outside."""

    def at(cpu_s: float) -> dict[str, Any]:
        return record(cpu_s=cpu_s, reference_cpu_s=0.01, naive_cpu_s=1.0)

    assert metrics.beyond(at(0.01)) == metrics.standing(at(0.01)) == 1.0
    assert metrics.beyond(at(1.0)) == metrics.standing(at(1.0)) == 0.0
    assert metrics.standing(at(0.1)) == pytest.approx(0.5)
    assert metrics.beyond(at(0.1)) == pytest.approx(0.9 / 0.99)
    assert metrics.beyond(at(7.0)) == 0.0
    assert metrics.standing(at(0.001)) == 1.0
    assert metrics.standing(record(cpu_s=1.0, reference_cpu_s=1.0, naive_cpu_s=1.1)) is None


def test_wrong_answers_weigh_as_much_as_right_ones_whatever_could_be_timed() -> None:
    """40 solved at 0.9 each and 20 wrong are 0.6, and stay 0.6 when only ten of the 40 could be timed."""
    timed, untimed, wrong = metrics.Answers((0.9,)), metrics.Answers(unscored=1), metrics.Answers(wrong=1)
    whole = metrics.mean_eff_at_k([timed] * 40 + [wrong] * 20, 1)
    part = metrics.mean_eff_at_k([timed] * 10 + [untimed] * 30 + [wrong] * 20, 1)
    assert whole is not None
    assert part is not None
    assert (whole.value, part.value) == (pytest.approx(0.6), pytest.approx(0.6))
    assert part.high - part.low > whole.high - whole.low
    samples = metrics.Answers((0.8, 0.6), unscored=2, wrong=4)
    found = metrics.mean_eff_at_k([samples], 1)
    assert found is not None
    assert found.value == pytest.approx(0.7 / 2)
    assert metrics.mean_eff_at_k([untimed, wrong], 1) is None


def test_a_model_that_solves_nothing_scores_nothing_and_not_for_certain() -> None:
    """0 with an interval above it: where all problems score alike, Wilson over problems."""
    found = metrics.mean_eff_at_k([metrics.Answers(wrong=1)] * 10, 1)
    assert found is not None
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(0.2775, abs=1e-4)


def test_few_problems_say_neither_slower_nor_faster() -> None:
    """An interval that excludes 1 counts from six problems on; one that holds 1 is no difference; one problem has none."""
    few, enough = (
        metrics.mean_ratio([record(str(i), cpu_ratio=ratio(2.0)) for i in range(n)]).estimate for n in (5, 6)
    )
    assert (metrics.speed_verdict(few), metrics.speed_verdict(enough)) == ("", "slower")
    even = metrics.mean_ratio([record("a", cpu_ratio=ratio(0.5)), record("b", cpu_ratio=ratio(2.0))]).estimate
    assert metrics.speed_verdict(even) == "no difference"
    alone = metrics.mean_ratio([record("a", cpu_ratio=ratio(0.5))]).estimate
    assert metrics.speed_verdict(alone) == metrics.speed_verdict(None) == ""


def test_means_of_shares_stay_within_their_ends() -> None:
    """An interval of eff@k, Beyond or standing never leaves [0, 1], however few problems there are."""
    found = metrics.mean_eff_at_k([metrics.Answers(wrong=1), *[metrics.Answers((1.0,))] * 2], 1)
    assert found is not None
    assert 0.0 <= found.low < found.value < found.high <= 1.0
    alone = metrics.mean_eff_at_k([metrics.Answers((0.4,))], 1)
    assert alone is not None
    assert (alone.low, alone.high) == (0.0, 1.0)
