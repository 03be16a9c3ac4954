"""Fronts and names: own scores and published ones never meet in one comparison."""

from __future__ import annotations

from cpu_codegen.recommend.choice import choose, front, measured_quality, published_quality, shown_below
from cpu_codegen.recommend.quality import claim
from tests.recommend.support import candidate, own, published


def test_a_front_holds_what_nothing_beats_in_both() -> None:
    """Better or faster than every other; without a figure a model is on no front."""
    models = [
        candidate("good", 5, score=80),
        candidate("worse and slower", 4, score=70),
        candidate("fast", 40, score=30),
        candidate("middle", 20, score=60),
        candidate("equal, slower", 19, score=60),
        candidate("unknown", 90),
    ]
    assert [one.name for one in front(models, published_quality)] == ["good", "middle", "fast"]
    assert front(models, measured_quality) == []


def test_own_runs_come_first() -> None:
    """The fastest measured one that is not shown to be below the best, whatever others publish."""
    models = [
        candidate("best", 6, own=own("best", 40)),
        candidate("nearly", 20, own=own("nearly", 38)),
        candidate("bad", 60, own=own("bad", 10)),
        candidate("famous", 8, score=90),
    ]
    names = choose(models)
    assert [choice.candidate.name for choice in names] == ["nearly", "famous"]
    assert [choice.basis for choice in names] == ["measured", "published"]
    assert "lowcost60 0.63 [" in names[0].sentence
    assert "HumanEval+ 90" in names[1].sentence
    assert "not measured here" in names[1].sentence


def test_a_published_score_must_promise_more_than_the_first_names_own_original() -> None:
    """Published is compared with published alone."""
    known = candidate("known", 20, own=own("known", 30), score=70)
    assert [c.candidate.name for c in choose([known, candidate("less", 30, score=65)])] == ["known"]
    names = choose([known, candidate("more", 9, score=75)])
    assert [c.candidate.name for c in names] == ["known", "more"]
    assert "more than the 70 of known's" in names[1].sentence


def test_three_points_published_are_no_difference() -> None:
    """Of those within 3 points of the highest the fastest is named, and the highest beside it."""
    models = [candidate("top", 6, score=77.4), candidate("near", 19, score=76), candidate("far", 30, score=70)]
    (first,) = choose(models)
    assert first.candidate.name == "near"
    assert "the highest published is 77.4 of top" in first.sentence


def test_a_quick_one_is_named_when_it_is_twice_as_fast_and_not_hopeless() -> None:
    """At least half of the first name's score, in the same column."""
    models = [candidate("good", 10, score=80), candidate("quick", 25, score=50), candidate("silly", 200, score=20)]
    names = choose(models)
    assert [choice.candidate.name for choice in names] == ["good", "quick"]
    assert "2.5 times as fast" in names[1].sentence
    assert len(choose([candidate("good", 10, score=80), candidate("near", 15, score=75)])) == 1


def test_at_most_three_names() -> None:
    """Measured, promising, quick."""
    models = [
        candidate("measured", 10, own=own("measured", 40)),
        candidate("quick", 90, own=own("quick", 22)),
        candidate("promising", 6, score=95),
        *[candidate(f"other{n}", 5 + n, score=50 + n) for n in range(8)],
    ]
    assert [choice.candidate.name for choice in choose(models)] == ["measured", "promising", "quick"]


def test_tight_and_non_commercial_ones_are_not_named() -> None:
    """They stand in the table; nobody is sent there."""
    models = [
        candidate("tight", 10, score=90, verdict="tight"),
        candidate("forbidden", 10, score=85, commercial_use="forbidden"),
        candidate("free", 10, score=60),
    ]
    assert [choice.candidate.name for choice in choose(models)] == ["free"]


def test_no_data_is_said() -> None:
    """Without any figure the largest code model stands alone, and its sentence says that nothing is known."""
    (only,) = choose([candidate("a", 9), candidate("coder", 9, kind="coder")])
    assert only.candidate.name == "coder"
    assert only.sentence.startswith("no data")
    assert choose([]) == []


def test_below_is_shown_on_the_common_problems() -> None:
    """Paired: ten problems lost and none won is shown, five against three is not."""
    good = candidate("good", 5, own=own("good", 40))
    assert shown_below(candidate("ten less", 5, own=own("ten less", 30)), good)
    assert not shown_below(candidate("moved", 5, own=own("moved", 38, skip=3)), good)
    assert not shown_below(candidate("elsewhere", 5, own=own("elsewhere", 3, suite="mbpp+")), good)


def test_evalplus_chat_rows_are_preferred() -> None:
    """Over makers' figures, thinking and direct completion; HumanEval+ over the other suites."""
    one = candidate("m", 5)
    rows = (
        published(99, setting="pass@1; maker numbers"),
        published(50, setting="greedy, HumanEval+ v0.1.10 / MBPP+ v0.2.0, direct completion"),
        published(97, setting="EvalPlus, instruct, thinking on"),
        published(61, setting="EvalPlus, instruct"),
    )
    from dataclasses import replace

    found = claim(replace(one.plan.spec, published=rows))
    assert found is not None
    assert (found.value, found.by_evalplus) == (61, True)
    assert claim(one.plan.spec) is None
