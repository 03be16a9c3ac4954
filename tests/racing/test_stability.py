"""`run --stability N`: the same problems again, and the verdicts that chance alone changed."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.config import RunConfig, Settings
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.report.flips import Flips, flips_line
from cpu_codegen.report.formats import Format
from cpu_codegen.report.summary import summarize
from cpu_codegen.report.write import write_summaries
from cpu_codegen.schema import Sampling
from cpu_codegen.stability import second_run
from tests.report.support import write_run


def asked_again(tmp_path: Path) -> Path:
    """Nine problems, five of them again at width 1, where two that failed pass and one that passed fails."""
    verdicts = [True] * 4 + [False] * 5
    path = write_run(tmp_path / "run", limit=9, styles=("plain",), change=outcomes(verdicts))
    second = [False, True, True, True, True]
    write_run(path / "again", limit=5, styles=("plain",), change=outcomes(second), change_manifest=alone)
    return path


def outcomes(verdicts: list[bool]) -> Any:
    """Gives the samples these verdicts, one after the other."""
    left = iter(verdicts)

    def change(records: dict[str, Any]) -> None:
        records["result"]["outcome"] = "passed" if next(left) else "wrong"
        records["efficiency"] = None

    return change


def alone(manifest: dict[str, Any]) -> None:
    """Width 1."""
    manifest["sessions"][0]["width"] = 1


def test_flips_are_counted_and_named(tmp_path: Path) -> None:
    """Gains and losses both are flips; what was changed on purpose stands beside them, on terminal and in JSON."""
    summary = summarize(asked_again(tmp_path))
    (flips,) = summary.flips
    assert replace(flips, texts=None) == Flips("lowcost60", "plain", 5, 2, "width 4 v 1")
    told = {output: io.StringIO() for output in (Format.TABLE, Format.JSON)}
    for output, stream in told.items():
        write_summaries([summary], output, stream)
    assert "; texts: all 5 equal to the last character" in flips_line(flips)
    assert flips_line(flips) in told[Format.TABLE].getvalue()
    assert "2 of 5 problems (lowcost60, plain) changed their verdict" in told[Format.TABLE].getvalue()
    assert json.loads(told[Format.JSON].getvalue())["asked_again"][0]["flips"] == 2


def test_a_run_that_was_not_asked_again_says_nothing(tmp_path: Path) -> None:
    """No folder, no line."""
    assert summarize(write_run(tmp_path / "run", limit=3)).flips == []


@pytest.mark.parametrize(("width", "other"), [(16, 1), (1, 2)])
def test_greedy_answers_are_asked_at_another_width(tmp_path: Path, width: int, other: int) -> None:
    """Same seed, same problems first, nothing measured, a folder inside."""
    config = RunConfig("demo", limit=6, stability=4, levels=())
    inputs = prepare(config)
    again = second_run(config, inputs, tmp_path, [{"width": width}])
    assert again.ids == tuple(problem.id for problem in inputs.problems[:4])
    assert (again.parallel, again.settings, again.efficiency_budget_s, again.stability) == (other, Settings(), 0.0, 0)
    assert again.out == str(tmp_path / "again")


def test_drawn_answers_are_asked_with_another_seed(tmp_path: Path) -> None:
    """Width and sampling stay; the problems are named, because the order follows the seed."""
    config = RunConfig("demo", limit=6, stability=4, settings=Settings(sampling=Sampling(0.8), seed=3))
    again = second_run(config, prepare(config), tmp_path, [{"width": 8}])
    assert (again.parallel, again.settings.seed, again.settings.sampling.temperature) == (8, 4, 0.8)
    assert [p.id for p in prepare(again).problems] != []
    assert {p.id for p in prepare(again).problems} == set(again.ids)


def test_it_keeps_to_no_deadline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Together with a deadline: exit 2, before anything is loaded."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="--stability"):
        CliRunner().invoke(app, ["run", "-m", "demo", "--stability", "3", "--max-hours", "1"], catch_exceptions=False)


@pytest.mark.model
def test_a_run_asks_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The demo model through the whole line: a second folder inside the first, its flips in the output, no work the second time."""
    monkeypatch.chdir(tmp_path)
    arguments = [
        "run",
        "-m",
        "demo",
        "--limit",
        "3",
        "--stability",
        "2",
        "--efficiency-budget",
        "0s",
        "-t",
        "1",
        "--out",
        "st",
    ]
    first = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "2 problems (lowcost60, plain) changed their verdict" in first.stdout
    assert len(Path("st/again/generations.jsonl").read_text().splitlines()) == 2
    CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert len(Path("st/again/generations.jsonl").read_text().splitlines()) == 2
