"""Tasks of one's own through the whole line, with the demo model: run, resume, score, efficiency, report, plan."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.config import RunConfig
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.packaged import problems_dir
from tests.cli.support import run_cli
from tests.line.conftest import Run
from tests.line.support import lines
from tests.report.support import write_run
from tests.tasks.support import EVALPLUS, GOOD, HUMANEVAL, write_folder, write_lines

RUN = ("run", "-m", "demo", "-t", "1", "--parallel", "2", "--efficiency-budget", "0", "--out", "out")


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Two problems that the demo model knows, as files of one's own."""
    folder = tmp_path / "mine"
    for name in ("easy/ferry_peak", "hard/lamp_relay"):
        source = next(problems_dir().glob(f"*/{Path(name).name}.py"))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / f"{name}.py")
    return folder


def test_cases_may_change_and_statements_may_not(
    mine: Path, tmp_path: Path, cpu_codegen: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: the manifest holds where the suite lies and its hash; an edited case is judged anew with the old answer, an edited
    statement is refused with exit 6, a new problem joins."""
    ran = cpu_codegen(*RUN, "-s", "mine", "-o", "json")
    assert ran.returncode == 0, ran.stderr
    out = tmp_path / "out"
    facts = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["suites"]["mine"]
    assert facts["source"] == str(mine.resolve())
    assert facts["left_out"] == []
    answers = lines(out / "generations.jsonl")
    assert {(a["problem_id"], a["level"]) for a in answers} == {
        ("mine/ferry_peak", "easy"),
        ("mine/lamp_relay", "hard"),
    }

    file = mine / "easy" / "ferry_peak.py"
    file.write_text(file.read_text(encoding="utf-8") + "\nCASES = CASES[:3]\n", encoding="utf-8")
    (mine / "twice.py").write_text(GOOD, encoding="utf-8")
    again = cpu_codegen(*RUN, "-s", "mine")
    assert again.returncode == 0, again.stderr
    assert lines(out / "generations.jsonl")[:2] == answers
    judged = [r["problem_id"] for r in lines(out / "results.jsonl")]
    assert sorted(judged) == ["mine/ferry_peak", "mine/ferry_peak", "mine/lamp_relay", "mine/twice"]
    now = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["suites"]["mine"]
    assert now["hash"] != facts["hash"]

    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"""Return', '"""Now return'), encoding="utf-8")
    refused = run_cli(capsys, *RUN, "-s", "mine")
    assert refused.code == 6
    assert "another statement of mine/ferry_peak" in refused.err
    assert "--out another/folder" in refused.err


def test_lines_run_and_are_measured(
    mine: Path, tmp_path: Path, cpu_codegen: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: problems exported in EvalPlus's layout run as a file of one's own, pass as the originals do, and are measured; moved
    tasks are found with -s."""
    assert run_cli(capsys, "problems", "export", "mine", "--out", "ours.jsonl").code == 0
    (tmp_path / "ours.jsonl").rename(tmp_path / "few.jsonl")
    ran = cpu_codegen(*RUN, "-s", "few.jsonl", "-o", "json")
    assert ran.returncode == 0, ran.stderr
    results = lines(tmp_path / "out" / "results.jsonl")
    assert [r["problem_id"].partition("/")[0] for r in results] == ["few"]  # the other one has several right answers
    assert {r["outcome"] for r in results} == {"passed"}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "few.jsonl").rename(tmp_path / "elsewhere" / "few.jsonl")
    lost = run_cli(capsys, "efficiency", "out", "--budget", "1s")
    assert lost.code == 2
    assert "which is gone" in lost.err
    found = cpu_codegen("efficiency", "out", "--budget", "4s", "-s", "elsewhere/few.jsonl", "-o", "json")
    assert found.returncode == 0, found.stderr
    assert len(lines(tmp_path / "out" / "efficiency.jsonl")) == len(results)


def test_a_broken_task_ends_every_command_before_work_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: run, score, plan and list exit 2 with file and line at the first broken task, nothing is written; with --keep-going
    the rest is done and what is missing is told."""
    write_folder(tmp_path / "mine", twice=GOOD, zzz="def zzz(x)\n")
    solution = "def twice(v):\n    return [x + x for x in v]"
    samples = write_lines(tmp_path / "s.jsonl", {"task_id": "twice", "solution": solution})
    commands = (
        (*RUN, "-s", "mine"),
        ("score", samples.name, "-s", "mine", "-o", "jsonl"),
        ("plan", "-m", "demo", "-s", "mine", "--offline", "--as-if", "ram=4G"),
        ("problems", "list", "mine"),
    )
    for command in commands:
        ended = run_cli(capsys, *command)
        assert ended.code == 2, command
        assert "zzz.py:1: not Python: expected ':'" in ended.err
        assert "try:" in ended.err
    assert not (tmp_path / "out").exists()
    scored = run_cli(capsys, *commands[1], "--keep-going")
    assert json.loads(scored.out)["outcome"] == "passed"
    assert "left out: mine/zzz.py:1" in scored.err


def test_a_run_knows_what_was_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: with --keep-going a run goes on without the broken task, keeps its name for the manifest, and reports count it."""
    write_folder(tmp_path / "mine", twice=GOOD, zzz="def zzz(x)\n")
    inputs = prepare(RunConfig("demo", suites=("mine",), keep_going=True))
    assert [problem.id for problem in inputs.problems] == ["mine/twice"]
    (told,) = inputs.own_suites["mine"]["left_out"]
    assert told.startswith("mine/zzz.py:1: not Python")

    def with_broken_tasks(manifest: dict[str, Any]) -> None:
        manifest["suites"]["lowcost60"]["left_out"] = ["a", "b"]

    write_run(tmp_path / "run", limit=3, styles=("plain",), change_manifest=with_broken_tasks)
    assert "lowcost60: 2 broken tasks left out" in run_cli(capsys, "report", "run").out


def test_levels_limits_and_ids_choose_among_own_tasks(tmp_path: Path) -> None:
    """Claim: --ids takes a task_id as it stands in the file; a level that the suite has not is a usage error, not an empty run."""
    write_lines(tmp_path / "t.jsonl", {**HUMANEVAL, "level": "easy"}, EVALPLUS)
    config = RunConfig("demo", suites=("t.jsonl",))
    assert [p.id for p in prepare(replace(config, ids=("acme/2",))).problems] == ["t/acme/2"]
    assert [p.id for p in prepare(replace(config, levels=("easy",))).problems] == ["t/acme/1"]
    assert len(prepare(replace(config, limit=1)).problems) == 1
    with pytest.raises(UsageError, match="no problem of t is asked for"):
        prepare(replace(config, levels=("hard",)))


def test_scores_of_own_tasks_take_either_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: a samples file may name tasks as the tasks file does or with the suite before it; a mixed file gets each its rate."""
    write_lines(tmp_path / "t.jsonl", HUMANEVAL, EVALPLUS)
    right, wrong = {"completion": "    return a + b\n"}, {"solution": "def add(a, b): return 0"}
    write_lines(tmp_path / "s.jsonl", {"task_id": "acme/1", **right}, {"task_id": "t/acme/2", **wrong})
    scored = run_cli(capsys, "score", "s.jsonl", "-s", "t.jsonl", "-o", "json")
    assert scored.code == 0, scored.err
    rates = {rate["tests"]: (rate["value"], rate["problems"]) for rate in json.loads(scored.out)["pass_at_k"]}
    assert rates == {"all": (1.0, 1), "base": (0.0, 1), "plus": (0.0, 1)}
