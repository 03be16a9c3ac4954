"""What was begun and is not known stays in n, and every interval covers both ways it could have ended."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.compare import pair
from cpu_codegen.compare_runs import read_run
from cpu_codegen.report import figures
from cpu_codegen.report.formats import Format
from cpu_codegen.report.rates import paired, pass_at, scores
from cpu_codegen.report.summary import Cell, RunSummary, summarize
from cpu_codegen.report.write import write_summaries
from cpu_codegen.stats import mcnemar_exact, mcnemar_interval, score_interval, tango, wilson
from tests.report.support import write_run


def killed(
    tmp_path: Path, missing: int, *, status: str = "running", width: int = 4, limit: int = 9, **facts: Any
) -> RunSummary:
    """A run in one style whose last answers are missing."""
    names: list[str] = []

    def begin(manifest: dict[str, Any]) -> None:
        names.extend(manifest["scope"]["problems"])
        manifest |= {"status": status, **facts}
        manifest["sessions"][0]["width"] = width

    def leave_out(records: dict[str, Any]) -> None:
        if records["generation"]["problem_id"] in names[len(names) - missing :]:
            records["generation"] = records["result"] = records["efficiency"] = None

    return summarize(
        write_run(tmp_path / "run", limit=limit, styles=("plain",), change=leave_out, change_manifest=begin, share=0.6)
    )


def whole(summary: RunSummary) -> Cell:
    """The cell over all levels."""
    return summary.overall()[0]


def test_what_was_in_flight_stays_in_n(tmp_path: Path) -> None:
    """Three of nine answers missing at width 4: n = 9, from Wilson's low end of "all failed" to the high end of "all passed"."""
    cell = whole(killed(tmp_path, missing=3))
    assert (cell.n, cell.unknown, cell.undecided, cell.wanted) == (9, 3, 0, 9)
    assert cell.pass1 is not None
    assert cell.pass1.value == cell.passed / 6
    assert cell.pass1.low == wilson(cell.passed, 9).low
    assert cell.pass1.high == wilson(cell.passed + 3, 9).high
    assert cell.pass1.n == 9


def test_what_was_never_begun_is_not_in_n(tmp_path: Path) -> None:
    """Five missing at width 2: two were in flight, three had not begun; the figure says of how many."""
    cell = whole(killed(tmp_path, missing=5, width=2))
    assert (cell.n, cell.unknown) == (6, 2)
    assert figures.count(cell) == "6 of 9, 2 unknown"


def test_a_deadline_names_what_it_cut_off(tmp_path: Path) -> None:
    """A partial run has nothing in flight but what its manifest lists."""
    assert whole(killed(tmp_path / "clean", missing=3, status="partial")).unknown == 0
    first = killed(tmp_path / "probe", missing=0)
    late = [
        {k: s[k] for k in ("key", "problem_id", "suite", "level", "style", "index")}
        for s in first.samples
        if s["index"] == 0
    ][-2:]
    summary = killed(tmp_path / "late", missing=3, status="partial", unfinished=late)
    assert {record["problem_id"] for record in summary.unfinished} <= {record["problem_id"] for record in late}
    assert whole(summary).unknown == len(summary.unfinished) == 2


def test_levels_hold_their_own_unknown(tmp_path: Path) -> None:
    """The level of a missing answer is known from the suite: the parts add up to the whole."""
    summary = killed(tmp_path, missing=3, limit=60)
    total, *parts = summary.cells
    assert {part.level for part in parts} == {"easy", "medium", "hard"}
    assert sum(part.unknown for part in parts) == total.unknown == 3


def test_a_finished_run_has_nothing_unknown(tmp_path: Path) -> None:
    """Whole and judged: no word about unknown anywhere."""
    summary = killed(tmp_path, missing=0, status="finished")
    assert summary.unfinished == []
    assert figures.count(whole(summary)) == "9"
    assert "unknown" not in _told(summary, Format.TABLE).replace("unknown\n", "").split("\n")[0]


def test_every_format_says_so(tmp_path: Path) -> None:
    """Terminal, Markdown, LaTeX: the count; csv, jsonl, json: columns; and a note that explains the interval."""
    summary = killed(tmp_path, missing=5, width=2)
    for output in (Format.TABLE, Format.MD, Format.LATEX):
        assert "6 of 9, 2 unknown" in _told(summary, output)
    assert "the run is running: 4 of 9 answers so far" in _told(summary, Format.TABLE)
    assert "2 answers are unknown" in _told(summary, Format.TABLE)
    record = json.loads(_told(summary, Format.JSONL).split("\n")[0])
    assert (record["n"], record["unknown"], record["wanted"], record["status"]) == (6, 2, 9, "running")
    group = json.loads(_told(summary, Format.JSON))["groups"][0]
    assert (group["n"], group["unknown"]) == (6, 2)
    assert "unknown" in _told(summary, Format.CSV).split("\n")[0].split(",")


def _told(summary: RunSummary, output: Format) -> str:
    stream = io.StringIO()
    write_summaries([summary], output, stream)
    return stream.getvalue()


def sample(problem: int, outcome: str | None, index: int = 0) -> dict[str, Any]:
    """A sample with no more than its outcome."""
    return {
        "problem_id": str(problem),
        "suite": "own",
        "style": "plain",
        "index": index,
        "outcome": outcome,
        "efficiency": None,
    }


def test_several_samples_of_a_problem() -> None:
    """n = 2, one unknown each: the value is that of the judged, the ends are those of both completions."""
    samples = [sample(p, "passed" if p % 2 else "wrong") for p in range(8)] + [sample(p, None, 1) for p in range(8)]
    found = pass_at(samples, (1,))[1]
    worst, best = ([(p % 2 + unknown) / 2 for p in range(8)] for unknown in (0, 1))
    assert found.value == 0.5
    assert (found.low, found.high) == (score_interval(worst).low, score_interval(best).high)
    assert scores(samples) == {str(p): float(p % 2) for p in range(8)}


def test_harness_errors_are_not_unknown() -> None:
    """They are known to say nothing about the model."""
    assert pass_at([sample(0, "passed"), sample(1, "harness_error")], (1,))[1].n == 1


def test_a_pair_counts_the_unknown_both_ways() -> None:
    """Ten to nothing is better; with three of them unknown the interval reaches further down, and p is the less sure one."""
    ours = [sample(p, "passed") for p in range(10)]
    theirs = [sample(p, "wrong") for p in range(10)]
    sure = paired(ours, theirs, suite="", style="a", baseline="b")
    open_ = paired([*ours[:7], *(sample(p, None) for p in range(7, 10))], theirs, suite="", style="a", baseline="b")
    assert sure is not None
    assert open_ is not None
    assert (open_.n, open_.unknown, open_.b) == (10, 3, 7)
    assert open_.difference.low == mcnemar_interval(7, 0, 10).low
    assert open_.difference.high == mcnemar_interval(10, 0, 10).high
    assert open_.p == mcnemar_exact(7, 0) > sure.p
    assert sure.verdict == "better"


def test_a_sign_that_the_unknown_could_turn_is_no_difference() -> None:
    """Six to nothing looks better, but eight unknown of the other could turn it round."""
    ours = [sample(p, "passed" if p < 6 else "wrong") for p in range(14)]
    theirs = [sample(p, "wrong" if p < 6 else None) for p in range(14)]
    found = paired(ours, theirs, suite="", style="a", baseline="b")
    assert found is not None
    assert (found.p, found.verdict) == (1.0, "no difference")


def test_compare_uses_them_too(tmp_path: Path) -> None:
    """Two runs, one killed: its problems in flight are in the pairs, and the note says why the interval is wide."""
    killed(tmp_path / "a", missing=3)
    write_run(tmp_path / "b" / "run", limit=9, styles=("plain",))
    first, second = (read_run(tmp_path / name / "run") for name in "ab")
    found = pair(second.samples, first.samples)
    assert found.problems == 9
    assert "3 problems hold unknown answers" in found.correctness.note
    assert found.metric("tokens").estimate is not None
    assert found.metric("tokens").estimate.n == 6  # type: ignore[union-attr]


@pytest.mark.parametrize("n", [10, 60, 164])
def test_a_paired_interval_agrees_with_the_exact_test(n: int) -> None:
    """For every split of up to 24 discordant problems: it holds 0 exactly when McNemar's p is 0.05 or more, and all of Tango's."""
    for b in range(min(n, 24) + 1):
        for c in range(min(n, 24) - b + 1):
            interval, score = mcnemar_interval(b, c, n), tango(b, c, n)
            assert (0 in interval) == (mcnemar_exact(b, c) >= 0.05)
            assert interval.low <= score.low
            assert interval.high >= score.high


def test_several_samples_agree_too() -> None:
    """Where signs permuted over problems do not rule 0 out, the bootstrap's interval does not either."""
    values = [(1.0, 0.5)] * 4 + [(0.5, 0.5)] * 6
    ours = [sample(p, "passed" if i < round(2 * v[0]) else "wrong", i) for p, v in enumerate(values) for i in range(2)]
    theirs = [
        sample(p, "passed" if i < round(2 * v[1]) else "wrong", i) for p, v in enumerate(values) for i in range(2)
    ]
    found = paired(ours, theirs, suite="", style="a", baseline="b")
    assert found is not None
    assert found.test == "permutation"
    assert found.p >= 0.05
    assert found.difference.low <= 0 < found.difference.value
    assert found.verdict == "no difference"
