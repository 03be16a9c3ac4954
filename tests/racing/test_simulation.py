"""The simulation: its tables are the product's rule, and a small one keeps the promise that the large one checks."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cpu_codegen.race import Race, evidence
from scripts.simulate_racing import (
    SCENARIOS,
    answers,
    betting_rule,
    log_evidence,
    looks,
    raced,
    simulate,
    skill_of,
    stopped_at,
)


@pytest.mark.parametrize(("won", "lost"), [(0, 0), (8, 0), (12, 5), (3, 30), (60, 0)])
def test_the_table_holds_the_products_evidence(won: int, lost: int) -> None:
    """ln E by counts = ln E of race.py by differences."""
    expected = math.log(evidence([1.0] * won + [-1.0] * lost))
    assert log_evidence(60)[won, lost] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("name", ["ladder of 8", "best is slow", "one ahead by 5"])
def test_the_simulation_stops_whom_the_product_stops(name: str) -> None:
    """30 leaderboards of five models through both: the same models stop after the same number of problems."""
    scenario = next(scenario for scenario in SCENARIOS if scenario.name == name)
    rates, seconds = scenario.rates(5), scenario.seconds(5)
    solved = answers(rates, 60, 30, seed=3)
    ends = stopped_at(solved, seconds, betting_rule(60), looks(60))
    for board in range(len(solved)):
        race = Race([str(model) for model in range(5)])
        for number, known in enumerate(looks(60)):
            seen = {str(m): {"s": {str(p): float(solved[board, m, p]) for p in range(known)}} for m in range(5)}
            race.observe(seen, {str(m): {"s": seconds[m]} for m in range(5)}, number)
        stops = {int(stop.model): looks(60)[stop.look] for stop in race.stops}
        assert {m: int(ends[board, m]) for m in range(5) if ends[board, m] <= 60} == stops


def test_models_have_the_rates_they_should_and_answers_hang_together() -> None:
    """Over many problems: the expected share is solved; two equal models agree more often than by chance."""
    solved = answers([0.6, 0.6], 200, 200, seed=1)
    assert solved.mean() == pytest.approx(0.6, abs=0.01)
    agreement = float((solved[:, 0] == solved[:, 1]).mean())
    assert agreement > 0.6**2 + 0.4**2 + 0.08
    assert skill_of(0.5) == pytest.approx(0.0, abs=1e-6)


def test_blocks_at_most_double_what_is_known() -> None:
    """8, 16, 32, 60; a screen leaves the early looks out."""
    assert looks(60) == [8, 16, 32, 60]
    assert looks(224, screen=40) == [64, 128, 224]


def test_time_saved_and_ties() -> None:
    """Of two tied best one may be dropped without loss; time counts in seconds, not in models."""
    found = raced(np.array([[61, 10], [20, 30]]), [0.6, 0.6], [1.0, 3.0], 60)
    assert (found.boards, found.lost) == (2, 1)
    assert found.saved == pytest.approx((50 * 3 + 40 + 30 * 3) / (2 * 60 * 4))


def test_a_race_rarely_loses_the_best() -> None:
    """60 leaderboards a line: no interval lies above 5 %, ladders save time, and McNemar loses the best more often."""
    lines = list(simulate(boards=60, seed=5, sizes=(60,), models=(2, 5, 8)))
    assert {line[0] for line in lines} == {scenario.name for scenario in SCENARIOS}
    assert all(race.low <= 0.05 for *_, race, _ in lines)
    saved = {(name, models): race.saved for name, models, _, race, _ in lines}
    assert saved["ladder of 8", 8] > 0.1
    assert sum(control.lost for *_, control in lines) > sum(race.lost for *_, race, _ in lines)


def test_the_best_of_one_suite_is_not_lost_for_the_other() -> None:
    """30 boards, the best of one suite far behind on the other: pooled it would be dropped, raced by suite it goes on."""
    lost = pooled = 0
    ahead, behind = answers([0.6, 0.5], 60, 30, seed=5), answers([0.1, 0.8], 60, 30, seed=6)
    for board in range(len(ahead)):
        both = Race(["a", "b"])
        one = Race(["a", "b"])
        for number, known in enumerate(looks(60)):
            parts = [{str(p): float(solved[p]) for p in range(known)} for solved in (*ahead[board], *behind[board])]
            scores = {"a": {"s": parts[0], "t": parts[2]}, "b": {"s": parts[1], "t": parts[3]}}
            both.observe(scores, {model: {"s": 1.0, "t": 1.0} for model in "ab"}, number)
            mixed = {
                m: {"all": {f"{s} {p}": v for s, part in scores[m].items() for p, v in part.items()}} for m in "ab"
            }
            one.observe(mixed, {model: {"all": 1.0} for model in "ab"}, number)
        lost += "a" not in both.running
        pooled += "a" not in one.running
    assert pooled > 20
    assert lost <= 4, "one in twenty, and room for chance"
