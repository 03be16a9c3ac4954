"""Answers taken over: in the suite that asks; those of another width in pass@1, not in seconds and rates, which say how many."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.columns.generate import identity
from cpu_codegen.columns.reuse import reuse
from cpu_codegen.compare_runs import compare_runs, read_run
from cpu_codegen.config import RunConfig
from cpu_codegen.inputs import prepare
from cpu_codegen.progress import Silent
from cpu_codegen.report.cost import widths_of
from cpu_codegen.report.gate import gate_of
from cpu_codegen.report.overview import notes
from cpu_codegen.report.summary import summarize
from cpu_codegen.requirements import parse_requirements
from cpu_codegen.schema import Problem
from cpu_codegen.session import Session, new_manifest
from cpu_codegen.store import RunFolder
from cpu_codegen.suites.load import SUITES, load_suite
from tests.report.support import write_run

SLOW_S = 1000.0


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Twelve problems at width 4; of the first three the answers come from a run of width 1, which took very long."""
    count = 0

    def taken_over(records: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count <= 3:
            records["generation"] |= {"reused_from": "runs/earlier", "width": 1, "cost_s": SLOW_S}

    return write_run(tmp_path / "run", limit=12, styles=("plain",), share=1.0, change=taken_over)


def test_a_report_leaves_their_seconds_and_passes_out(run: Path) -> None:
    """Seconds a problem and passes an hour are of nine answers; pass@1 is of twelve; the note says three."""
    summary = summarize(run)
    cell = summary.overall()[0]
    own = [sample["cost_s"] for sample in summary.samples if not sample.get("reused_from")]
    assert (cell.n, cell.cost.left_out) == (12, 3)
    assert cell.cost.seconds_per_problem == pytest.approx((sum(own) + 2.0) / 9)
    assert cell.cost.correct_per_hour == pytest.approx(9 * 3600 / (sum(own) + 2.0))
    assert sum(cell.cost.left_out for cell in summary.cells if cell.level != "all") == 3
    assert any("3 answers were taken over from another width" in note for note in notes([summary]))


def test_a_requirement_is_judged_without_them(run: Path) -> None:
    """The mean and its interval are of the nine."""
    (finding,) = gate_of(summarize(run), parse_requirements("s_per_problem<100")).findings
    assert (finding.verdict, finding.figure.n) == ("PASS", 9)


def test_a_comparison_is_made_without_them(run: Path, tmp_path: Path) -> None:
    """Seconds are paired on nine problems and say so; correctness on all twelve; what it buys is of nine too."""
    other = write_run(tmp_path / "other", limit=12, styles=("plain",), share=1.0, name="other@q4_0")
    (found,) = compare_runs([read_run(other), read_run(run)])
    seconds, correctness = found.pairing.metric("seconds"), found.pairing.correctness
    assert seconds.estimate is not None
    assert (seconds.estimate.n, found.pairing.problems) == (9, 12)
    assert seconds.estimate.value < 10
    assert "3 answers of another width, taken over, are left out" in seconds.note
    assert correctness.estimate is not None
    assert correctness.estimate.n == 12
    assert found.pairing.bought is not None
    assert found.pairing.bought.problems == 9


def test_a_run_of_nothing_but_taken_over_answers_has_their_width() -> None:
    """The most common one; a single answer made here decides."""
    taken = [{"reused_from": "r", "width": width} for width in (8, 8, 1)]
    assert widths_of(taken) == {8}
    assert widths_of([*taken, {"width": 2}]) == {2}


def test_an_answer_taken_over_stands_in_the_suite_that_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two suites with the same prompts have the same keys: the line that is taken over names the suite of this run."""
    ours = load_suite("lowcost60")[:2]
    for name in ("base", "plus"):
        monkeypatch.setitem(SUITES, name, called(name, ours))
    monkeypatch.setattr("cpu_codegen.columns.reuse._build_here", lambda: ("b", ""))
    inputs = {name: prepare(RunConfig("demo", suites=(name,), offline=True)) for name in ("base", "plus")}
    with RunFolder(tmp_path / "runs" / "first", writable=True) as first:
        first.write_manifest({**new_manifest(inputs["base"]), "engine": {"build": "b", "cpu_flags": ""}})
        for sample in inputs["base"].samples:
            first.append("generations", {"key": sample.key, **identity(sample), "finish_reason": "eos"})
    config = RunConfig("demo", suites=("plus",), reuse=str(tmp_path / "runs"))
    with RunFolder(tmp_path / "second", writable=True) as second:
        session = Session(second, config, new_manifest(inputs["plus"]))
        found = list(reuse(session, inputs["plus"], Silent()))
    assert [record["suite"] for record in found] == ["plus", "plus"]
    assert [record["reused_from"] for record in found] == [str(tmp_path / "runs" / "first")] * 2


def called(name: str, problems: list[Problem]) -> Callable[[bool], list[Problem]]:
    """These problems as a suite of this name."""
    return lambda offline: [replace(problem, suite=name) for problem in problems]
