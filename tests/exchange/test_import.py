"""Samples from elsewhere become a run like any other, judged here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.exchange.foreign import read_foreign
from cpu_codegen.report.references import references
from cpu_codegen.report.summary import summarize
from cpu_codegen.suites.lowcost60 import load_lowcost60
from tests.report.support import write_run

COUNT = 4


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Four problems in EvalPlus's lines: two references, a wrong answer, one that is no Python."""
    known = references([summarize(write_run(tmp_path / "known", styles=("plain",)))])
    problems = load_lowcost60()[:COUNT]
    codes = [known[f"lowcost60 {p.id}"].solution for p in problems[:2]]
    codes += [f"def {problems[2].entry_point}(*_):\n    return 'nothing of the kind'\n", "no python"]
    lines = [{"task_id": p.id, "solution": code} for p, code in zip(problems, codes, strict=True)]
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_imported_answers_are_judged_and_reported(answers: Path, tmp_path: Path) -> None:
    """References pass, the wrong one is wrong, the broken one is a syntax error; costs stay unmeasured; again adds nothing."""
    out = tmp_path / "imported"
    command = [
        "import",
        str(answers),
        "-s",
        "lowcost60",
        "-m",
        "elsewhere",
        "--comparator",
        "strict",
        "--out",
        str(out),
    ]
    for _ in range(2):
        result = CliRunner().invoke(app, command, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        summary = summarize(out)
        assert [s["outcome"] for s in sorted(summary.samples, key=lambda s: s["outcome"])] == [
            "passed",
            "passed",
            "syntax",
            "wrong",
        ]
    cell = summary.overall()[0]
    assert (cell.n, cell.passed, cell.style) == (COUNT, 2, "imported")
    assert cell.cost.seconds_per_problem is None
    assert cell.format_ok is None
    assert summary.manifest["status"] == "finished"


def test_an_export_for_lm_eval_can_be_read_back(tmp_path: Path) -> None:
    """The same programs for the same problems."""
    folder = write_run(tmp_path / "run", limit=3, n=2, styles=("plain",))
    path = tmp_path / "log.jsonl"
    CliRunner().invoke(app, ["export", str(folder), "--as", "lm-eval", "--out", str(path)], catch_exceptions=False)
    problems = {p.id: p for p in load_lowcost60()}
    read = [(s.problem.id, s.code) for s in read_foreign(path, problems)]
    assert read == [(s["problem_id"], s["code"]) for s in summarize(folder).samples]


def test_lm_eval_answers_without_the_function_go_on_after_the_prompt(tmp_path: Path) -> None:
    """A filtered answer that is only a body, or none at all: the raw answer behind the statement; a whole function stands alone."""
    problem = load_lowcost60()[0]
    whole = f"def {problem.entry_point}(*_):\n    return 1\n"
    record = {
        "doc": {"task_id": problem.id},
        "resps": [["    return 0\n", "    return 2\n", "raw"]],
        "filtered_resps": [["return 0", whole]],
    }
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(record) + "\n")
    read = [s.code for s in read_foreign(path, {problem.id: problem})]
    assert read == [problem.statement + "    return 0\n", whole, problem.statement + "raw"]


def test_an_export_for_evalplus_can_be_read_back(tmp_path: Path) -> None:
    """Every sample's program, in order; EvalPlus's lines carry no more."""
    folder = write_run(tmp_path / "run", limit=4, styles=("plain",))
    path = tmp_path / "samples.jsonl"
    CliRunner().invoke(app, ["export", str(folder), "--as", "evalplus", "--out", str(path)], catch_exceptions=False)
    problems = {p.id: p for p in load_lowcost60()}
    read = [(s.problem.id, s.code) for s in read_foreign(path, problems)]
    assert read == [(s["problem_id"], s["code"]) for s in summarize(folder).samples]


def test_a_damaged_log_names_its_line(tmp_path: Path) -> None:
    """Nothing of it is imported."""
    path = tmp_path / "log.jsonl"
    path.write_text('{"resps": [["x"]], "doc": {"task_id": "lowcost60/none"}}\n')
    with pytest.raises(UsageError, match=r"log\.jsonl:1"):
        read_foreign(path, {p.id: p for p in load_lowcost60()})
