"""Samples from elsewhere become a run like any other, judged here."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import IntegrityError, UsageError
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


def test_lm_eval_names_mbpp_by_numbers(tmp_path: Path) -> None:
    """Its MBPP data sets have 2 where EvalPlus has Mbpp/2; a truth value is no number of a task."""
    problem = replace(load_lowcost60()[0], id="Mbpp/1")
    whole = f"def {problem.entry_point}(*_):\n    return 1\n"
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps({"doc": {"task_id": 1}, "resps": [[whole]]}) + "\n")
    (read,) = read_foreign(path, {problem.id: problem})
    assert (read.problem, read.code) == (problem, whole)
    path.write_text(json.dumps({"doc": {"task_id": True}, "resps": [[whole]]}) + "\n")
    with pytest.raises(UsageError, match=r"log\.jsonl:1"):
        read_foreign(path, {problem.id: problem})


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


def typed(*arguments: str) -> str:
    """stdout of a command that succeeds."""
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    """`export --as artifact` of a run with costs and measurements."""
    run = write_run(tmp_path / "run", limit=6)
    typed("export", str(run), "--as", "artifact", "--out", str(tmp_path / "artifact"))
    return tmp_path / "artifact"


def test_an_artifact_comes_back_with_the_same_figures(artifact: Path, tmp_path: Path) -> None:
    """Cells, pairs and samples are those of the run that was exported: costs, one load and measurements included; twice is once."""
    out = tmp_path / "back"
    for _ in range(2):
        assert typed("import", str(artifact), "--out", str(out)).strip() == str(out)
    first, second = summarize(tmp_path / "run"), summarize(out)
    assert second.cells == first.cells
    assert second.pairs == first.pairs
    assert second.samples == first.samples
    assert second.manifest["imported"]["artifact"] == "artifact"
    with pytest.raises(UsageError, match="holds another run"):
        typed("import", str(artifact), "--out", str(tmp_path / "run"))


def test_a_group_of_artifacts_comes_back_as_runs(artifact: Path, tmp_path: Path) -> None:
    """One run folder each, under one folder."""
    several = tmp_path / "several"
    several.mkdir()
    shutil.copytree(artifact, several / "a")
    shutil.copytree(artifact, several / "b")
    typed("import", str(several), "--out", str(tmp_path / "both"))
    assert (
        len(
            json.loads(typed("report", str(tmp_path / "both" / "a"), str(tmp_path / "both" / "b"), "-o", "json"))[
                "runs"
            ]
        )
        == 2
    )


@pytest.mark.parametrize("harm", ["changed", "added", "linked", "manifest"])
def test_an_artifact_that_was_tampered_with_is_refused(artifact: Path, tmp_path: Path, harm: str) -> None:
    """Another byte, a column without a sum, a link to elsewhere, a manifest without a sum: exit 6, and no run."""
    sums = artifact / "SHA256SUMS"
    without = [line for line in sums.read_text().splitlines() if "results.jsonl" not in line]
    if harm == "changed":
        (artifact / "results.jsonl").write_bytes((artifact / "results.jsonl").read_bytes() + b"\n")
    elif harm == "added":
        sums.write_text("".join(f"{line}\n" for line in without))
    elif harm == "linked":
        shutil.move(artifact / "results.jsonl", tmp_path / "elsewhere")
        (artifact / "results.jsonl").symlink_to(tmp_path / "elsewhere")
    else:
        sums.write_text("")
    with pytest.raises(IntegrityError, match="SHA256SUMS says"):
        typed("import", str(artifact), "--out", str(tmp_path / "back"))
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize("form", ["csv", "leaderboard", "parquet"])
def test_what_holds_no_run_says_what_to_use(tmp_path: Path, form: str) -> None:
    """Each lossy export is refused by name, with the formats that come back."""
    run, path = write_run(tmp_path / "run", limit=3, styles=("plain",)), tmp_path / "out"
    if form == "parquet":
        path.write_bytes(b"PAR1\x15\x04")
    else:
        typed("export", str(run), "--as", form, "--out", str(path))
    with pytest.raises(UsageError, match="cannot become a run again") as caught:
        typed("import", str(path), "-s", "lowcost60", "-m", "x")
    assert "--as artifact" in str(caught.value.remedy)


def test_what_import_cannot_know_it_asks_for(answers: Path, tmp_path: Path) -> None:
    """Samples without -s and -m, a run folder, a folder that is nothing: what to type."""
    with pytest.raises(UsageError, match="which suite and whose answers"):
        typed("import", str(answers))
    with pytest.raises(UsageError, match="is a run folder already"):
        typed("import", str(tmp_path / "known"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no artifact"):
        typed("import", str(tmp_path / "empty"))
