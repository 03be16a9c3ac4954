"""The order of problems is seeded, balanced and stable."""

from __future__ import annotations

from collections import Counter

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.order import run_order, select
from cpu_codegen.schema import LEVELS, AssertTask, Level, Problem


def _problem(level: Level, number: int) -> Problem:
    return Problem(f"s/{level}{number}", "s", level, f"{level}{number}", "", "h", AssertTask(""))


PROBLEMS = [_problem(level, i) for level in LEVELS for i in range(20)]


def test_every_prefix_holds_the_levels_in_their_share() -> None:
    """After any 3k problems each level has k: `--limit` is a fair sample."""
    ordered = run_order(PROBLEMS, seed=0)
    for k in range(1, 21):
        assert set(Counter(p.level for p in ordered[: 3 * k]).values()) == {k}


def test_levels_of_unequal_size_keep_their_share_in_every_prefix() -> None:
    """Of 30 easy, 6 medium and 3 hard problems any beginning holds each level within one problem of its share."""
    uneven = [_problem(level, i) for level, count in zip(LEVELS, (30, 6, 3), strict=True) for i in range(count)]
    ordered = run_order(uneven, seed=0)
    for end in range(1, len(ordered) + 1):
        seen = Counter(problem.level for problem in ordered[:end])
        for level, count in zip(LEVELS, (30, 6, 3), strict=True):
            assert abs(seen[level] - end * count / len(ordered)) <= 1


def test_the_order_depends_on_the_seed_and_not_on_the_input_order() -> None:
    """The same seed gives the same order however the files were listed; another seed another one."""
    first = [p.id for p in run_order(PROBLEMS, seed=0)]
    assert first == [p.id for p in run_order(list(reversed(PROBLEMS)), seed=0)]
    assert first != [p.id for p in run_order(PROBLEMS, seed=1)]
    assert sorted(first) == sorted(p.id for p in PROBLEMS)


def test_a_limit_is_a_prefix_and_ids_may_leave_out_the_suite() -> None:
    """`--limit 5` begins `--limit 10`; `--ids` takes both forms."""
    ordered = run_order(PROBLEMS, seed=0)
    assert select(ordered, limit=5) == select(ordered, limit=10)[:5]
    assert (
        [p.id for p in select(ordered, ids=["s/easy3"])]
        == [p.id for p in select(ordered, ids=["easy3"])]
        == ["s/easy3"]
    )
    assert {p.level for p in select(ordered, levels=["hard"])} == {"hard"}


def test_an_unknown_id_is_a_usage_error() -> None:
    """A typo is not silently an empty run."""
    with pytest.raises(UsageError, match="nope"):
        select(run_order(PROBLEMS, seed=0), ids=["nope"])
