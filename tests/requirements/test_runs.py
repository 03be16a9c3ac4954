"""`report`, `compare` and `run` with --require, on run folders as a real run writes them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.report.gate import figures_of
from cpu_codegen.report.summary import summarize
from cpu_codegen.requirements import Figure, parse_requirements
from cpu_codegen.stats import wilson
from tests.cli.support import run_cli
from tests.report.support import write_run


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def alone(records: dict[str, Any]) -> None:
    """An answer of one stream, its energy read."""
    records["generation"]["width"] = 1
    records["generation"]["energy_j"] = 36.0 * records["generation"]["cost_s"]


def figures(path: Path, text: str) -> list[Figure]:
    """What a run knows of one term."""
    (term,) = parse_requirements(text)
    return figures_of(summarize(path), term)


def test_figures_are_the_reports_own(tmp_path: Path) -> None:
    """Claim: pass@1 is Wilson's over problems, seconds and energy are means, RAM is the peak; each by suite and style."""
    run = write_run(tmp_path / "a", change=alone)
    summary = summarize(run)
    cell = next(cell for cell in summary.overall() if cell.style == "plain")
    (rate,) = figures(run, "pass@1[lowcost60,plain]>0.5")
    interval = wilson(cell.passed, 60)
    assert (rate.value, rate.low, rate.high, rate.n) == (cell.passed / 60, interval.low, interval.high, 60)
    plain, cot = figures(run, "s_per_problem<60")
    assert (plain.where, cot.where) == ("lowcost60, plain", "lowcost60, cot")
    assert plain.value == pytest.approx(cell.cost.seconds_per_problem)
    assert plain.value is not None
    assert plain.low < plain.value < plain.high
    (energy,) = figures(run, "wh_per_problem[plain]<1")
    costs = [s["cost_s"] for s in summary.samples if s["style"] == "plain"]
    assert energy.value == pytest.approx(sum(costs) / 60 * 36 / 3600)
    (ram,) = figures(run, "ram<2G")
    assert (ram.value, ram.is_maximum) == (1_600_000_000, True)
    (first,) = figures(run, "ttft[plain]<5s")
    assert (first.value, first.low, first.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("term", "why"),
    [
        ("ttft<5s", "4 sequences ran together: run --parallel 1, or bench"),
        ("wh_per_problem<1", "the RAPL counter is for root only"),
        ("pass@1[humaneval]>0.5", "the run has no [humaneval]; it has lowcost60, plain; lowcost60, cot"),
        ("pass@10>0.5", "every problem needs 10 answers: --n 10"),
    ],
)
def test_what_is_not_there_says_why(term: str, why: str, tmp_path: Path) -> None:
    """Claim: a figure that the run does not have is no figure, with the reason and the way to it."""
    found = figures(write_run(tmp_path / "a"), term)
    assert {(figure.value, figure.why) for figure in found} == {(None, why)}


def test_advice_names_what_would_decide(tmp_path: Path) -> None:
    """Claim: an open rate says how many problems it takes, and which suite has them, or that the run left some out."""
    (whole,) = figures(write_run(tmp_path / "a", share=0.58, seed=9), "pass@1[plain]>0.5")
    assert (
        whole.more in ("lowcost60 has 60, add -s humaneval", "lowcost60 has 60, add -s mbpp+", "") or "-s" in whole.more
    )

    def whole_suite(manifest: dict[str, Any]) -> None:
        manifest["suites"]["lowcost60"]["order"] += [f"lowcost60/p{i}" for i in range(50)]

    (part,) = figures(write_run(tmp_path / "b", share=1.0, limit=10, change_manifest=whole_suite), "pass@1[plain]>0.75")
    assert part.more == "lowcost60 has 60, 10 of them ran"


def test_report_gates_in_every_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: table, md, latex, csv, jsonl, json and html all carry verdict and evidence; the exit code is 7 in all of them."""
    write_run(tmp_path / "a", change=alone)
    terms = "ram<2G,pass@1[lowcost60,plain]>0.99,ttft<5s"
    for output in ("table", "md", "latex", "csv", "jsonl", "json", "html"):
        ran = run_cli(capsys, "report", "a", "--require", terms, "-o", output)
        assert ran.code == 7, output
        assert "no model meets --require" in ran.err
        text = (tmp_path / "a" / "report.html").read_text(encoding="utf-8") if output == "html" else ran.out
        assert "FAIL" in text, output
        assert "limit 99" in text, output
    told = json.loads(run_cli(capsys, "report", "a", "--require", terms, "-o", "json").out)["requirements"][0]
    assert (told["verdict"], [t["verdict"] for t in told["terms"]]) == ("FAIL", ["PASS", "FAIL", "PASS", "PASS"])
    assert told["terms"][1]["limit"] == 0.99
    rows = list(csv.DictReader(io.StringIO(run_cli(capsys, "report", "a", "--require", terms, "-o", "csv").out)))
    assert {row["require"] for row in rows} == {"FAIL"}


def test_several_runs_need_one_that_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: report and compare of two runs exit 0 when one meets all, and show both verdicts."""
    write_run(tmp_path / "slow", slowness=40.0, styles=("plain",), limit=12)
    write_run(tmp_path / "quick", name="other@q4_k_m", styles=("plain",), limit=12)
    for command in ("report", "compare"):
        ran = run_cli(capsys, command, "slow", "quick", "--require", "s_per_problem<20")
        assert ran.code == 0, ran.err
        verdicts = [line.split() for line in ran.out.splitlines() if "all terms" in line]
        assert [(words[0], words[-2]) for words in verdicts] == [("slow", "FAIL"), ("quick", "PASS")]
        assert run_cli(capsys, command, "slow", "quick", "--require", "s_per_problem<0.1").code == 7
    told = json.loads(run_cli(capsys, "compare", "slow", "quick", "--require", "s_per_problem<20", "-o", "json").out)
    assert [gate["verdict"] for gate in told["requirements"]] == ["FAIL", "PASS"]


@pytest.mark.parametrize("command", [("report", "a"), ("compare", "a"), ("run", "-m", "demo"), ("plan", "-m", "demo")])
def test_a_typo_ends_the_command_before_it_begins(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: exit 2 with position and known names; nothing is printed on stdout and no folder is made."""
    ran = run_cli(capsys, *command, "--require", "ram<2G, tfft<5s")
    assert (ran.code, ran.out) == (2, "")
    assert "position 9: 'tfft' is not known" in ran.err
    assert "ttft_p95" in ran.err
    assert not (tmp_path / "runs").exists()


def test_unfinished_answers_leave_it_open(tmp_path: Path) -> None:
    """Claim: answers that are not judged yet widen the interval, so that they cannot make a model pass."""
    run = write_run(tmp_path / "a", share=1.0, styles=("plain",), limit=20)
    kept = (run / "results.jsonl").read_text(encoding="ascii").splitlines(keepends=True)[:15]
    (run / "results.jsonl").write_text("".join(kept), encoding="ascii")
    (figure,) = figures(run, "pass@1>0.5")
    assert figure.value == 1.0
    assert figure.low == pytest.approx(wilson(15, 20).low)
    assert "5 unknown" in figure.note
