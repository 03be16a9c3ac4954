"""The race: who stops, on what evidence, and that its log is the whole state."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cpu_codegen.race import Race, evidence


def _scores(suite: str = "s", **rows: str) -> dict[str, dict[str, dict[str, float]]]:
    """`good="1101"` → the scores of problems 0, 1, 2, 3 of one suite; a dot leaves one out."""
    return {
        model: {suite: {str(place): float(mark) for place, mark in enumerate(row) if mark != "."}}
        for model, row in rows.items()
    }


def _seconds(suite: str = "s", **seconds: float) -> dict[str, dict[str, float]]:
    """`good=3.0` → three seconds per problem of that suite."""
    return {model: {suite: value} for model, value in seconds.items()}


def _both(one: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Scores, or seconds, of two suites together."""
    return {model: one[model] | other[model] for model in one}


def test_a_model_stops_when_a_rival_is_surely_better_and_no_slower() -> None:
    """Two models, threshold 1/0.05 = 20: eight problems that the rival alone solved are (2⁹ - 1)/9 = 56.8."""
    race = Race(["good", "bad"])
    (stop,) = race.observe(_scores(good="1" * 8, bad="0" * 8), _seconds(good=3.0, bad=3.0), 1)
    assert (stop.model, stop.rival, stop.look, stop.problems, stop.n) == ("bad", "good", 1, 8, 8)
    assert stop.evidence == pytest.approx(511 / 9)
    assert stop.threshold == pytest.approx(20)
    assert stop.low == 0.0 < stop.high < 1.0
    assert race.running == ["good"]


def test_a_slower_rival_stops_nobody() -> None:
    """Better but slower is a choice for the user, not a reason to drop the fast one."""
    race = Race(["good", "bad"])
    assert race.observe(_scores(good="1" * 20, bad="0" * 20), _seconds(good=3.1, bad=3.0), 1) == []
    assert race.looks[0].duels[0].slower


def test_a_model_without_seconds_takes_no_part() -> None:
    """Not slower cannot be said of what was not measured."""
    race = Race(["good", "bad"])
    assert race.observe(_scores(good="1" * 20, bad="0" * 20), _seconds(bad=3.0), 1) == []
    assert race.looks == []


def test_more_models_need_more_evidence() -> None:
    """K = 5: (K - 1)/0.05 = 80, so what stops one of two does not stop one of five."""
    rows = {"good": "1" * 8, "bad": "0" * 8, "c": "1" * 8, "d": "1" * 8, "e": "1" * 8}
    race = Race(list(rows))
    assert race.observe(_scores(**rows), _seconds(**dict.fromkeys(rows, 1.0)), 1) == []
    assert race.looks[0].threshold == pytest.approx(80)


def test_only_common_problems_count() -> None:
    """Problems that one model alone has bring no evidence, but they do count in its own mean."""
    race = Race(["good", "bad"])
    assert race.observe(_scores(good="1111....", bad="00000000"), _seconds(good=1.0, bad=1.0), 1) == []
    assert race.looks[0].duels[0].problems == 4


def test_equal_models_go_on() -> None:
    """No difference, no evidence; the look is in the log all the same."""
    race = Race(["a", "b"])
    assert race.observe(_scores(a="1010", b="1010"), _seconds(a=1.0, b=1.0), 1) == []
    assert [look.look for look in race.looks] == [1]
    assert race.looks[0].duels == ()


def test_screen_is_the_same_rule_with_a_later_first_look() -> None:
    """Before N common problems nothing is looked at, so nothing is spent."""
    race = Race(["good", "bad"], screen=10)
    seconds = _seconds(good=1.0, bad=1.0)
    assert race.observe(_scores(good="1" * 9, bad="0" * 9), seconds, 1) == []
    assert race.looks == []
    assert [stop.model for stop in race.observe(_scores(good="1" * 10, bad="0" * 10), seconds, 2)] == ["bad"]


def test_the_last_model_cannot_stop() -> None:
    """In a circle of wins nobody is surely better than everybody; whoever stops, one goes on."""
    race = Race(["a", "b", "c"])
    circle = _scores(a="1" * 20 + "0" * 10 + "1" * 10, b="1" * 10 + "0" * 10 + "1" * 20, c="0" * 10 + "1" * 30)
    race.observe(circle, _seconds(a=1.0, b=1.0, c=1.0), 1)
    assert race.running


def test_a_look_seen_again_changes_nothing() -> None:
    """A resumed run repeats its last look: the same stops, one log."""
    race, seconds = Race(["good", "bad"]), _seconds(good=1.0, bad=1.0)
    first = race.observe(_scores(good="1" * 8, bad="0" * 8), seconds, 1)
    assert race.observe(_scores(good="1" * 16, bad="0" * 16), seconds, 1) == first
    assert len(race.looks) == len(race.stops) == 1


def test_a_stopped_model_is_no_rival_any_more() -> None:
    """What was dropped is not generated further, so it decides nothing further."""
    race = Race(["a", "b", "c"])
    race.observe(_scores(a="1" * 12, b="0" * 12, c="1" * 12), _seconds(a=1.0, b=1.0, c=0.5), 1)
    assert race.running == ["a", "c"]
    race.observe(_scores(a="1" * 24, b="0" * 12, c="1" * 24), _seconds(a=1.0, b=1.0, c=0.5), 2)
    assert race.looks[1].duels == ()


def test_the_threshold_counts_all_that_started() -> None:
    """When some have stopped, the others need no less evidence: K is of the models that began."""
    race, seconds = Race(["a", "b", "c"]), _seconds(a=1.0, b=1.0, c=1.0)
    race.observe(_scores(a="1" * 12, b="0" * 12, c="1" * 12), seconds, 1)
    assert race.running == ["a", "c"]
    race.observe(_scores(a="1" * 12 + "1", b="0" * 12, c="1" * 12 + "0"), seconds, 2)
    assert [look.threshold for look in race.looks] == pytest.approx([40, 40])


def test_the_log_is_the_whole_state() -> None:
    """Through strict JSON and back: the same race."""
    race = Race(["good", "bad"], screen=4)
    race.observe(_scores(good="1" * 8, bad="0" * 8), _seconds(good=1.0, bad=2.0), 3)
    text = json.dumps(race.to_record(), allow_nan=False)
    again = Race.from_record(json.loads(text))
    assert again == race
    assert again.running == ["good"]


def test_evidence_is_always_a_json_number() -> None:
    """Two thousand wins are more than a float holds; the log says 1e300."""
    assert evidence([1.0] * 2000) == pytest.approx(1e300)


def test_of_two_suites_a_model_stops_only_when_it_is_behind_on_both() -> None:
    """Behind by all of one suite and ahead on the other: nothing is pooled, so it goes on; behind on both: a stop for each."""
    seconds = _both(_seconds("s", a=1.0, b=1.0, c=1.0), _seconds("t", a=1.0, b=1.0, c=1.0))
    first = _scores("s", a="1" * 12, b="0" * 12, c="1" * 12)
    race = Race(["a", "b", "c"])
    assert race.observe(_both(first, _scores("t", a="0" * 12, b="1" * 12, c="0" * 12)), seconds, 1) == []
    race = Race(["a", "b", "c"])
    stops = race.observe(_both(first, _scores("t", a="0" * 12, b="0" * 12, c="1" * 12)), seconds, 1)
    assert [(stop.model, stop.suite, stop.rival) for stop in stops] == [("b", "s", "a"), ("b", "t", "c")]
    assert race.running == ["a", "c"]
    assert race.looks[0].stopped == ("b",)
    assert Race.from_record(json.loads(json.dumps(race.to_record()))) == race


def test_a_suite_that_is_answered_to_its_end_holds_nobody_back() -> None:
    """Only what is left to answer can be saved: with `t` whole, being behind on `s` is enough, and `t` has no stop."""
    scores = _both(_scores("s", a="1" * 12, b="0" * 12), _scores("t", a="0101", b="1010"))
    seconds = _both(_seconds("s", a=1.0, b=1.0), _seconds("t", a=1.0, b=1.0))
    assert Race(["a", "b"]).observe(scores, seconds, 1) == []
    assert [stop.suite for stop in Race(["a", "b"]).observe(scores, seconds, 1, left=["s"])] == ["s"]


def test_a_rival_that_is_slower_on_one_suite_stops_nobody_there() -> None:
    """Seconds are the suite's own too."""
    scores = _both(_scores("s", a="1" * 12, b="0" * 12), _scores("t", a="1" * 12, b="0" * 12))
    seconds = _both(_seconds("s", a=1.0, b=1.0), _seconds("t", a=2.0, b=1.0))
    assert Race(["a", "b"]).observe(scores, seconds, 1) == []
