"""Tasks of one's own through the whole line, with the demo model: run, resume, score, efficiency, report, plan."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cpu_codegen.packaged import problems_dir
from tests.line.conftest import Run
from tests.line.support import lines
from tests.tasks.support import EVALPLUS, GOOD, HUMANEVAL, write_folder, write_lines

RUN = ("run", "-m", "demo", "-t", "1", "--parallel", "2", "--efficiency-budget", "0", "--out", "out")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Two problems that the demo model knows, as files of one's own."""
    folder = tmp_path / "mine"
    for name in ("easy/ferry_peak", "hard/cake_order"):
        source = next(problems_dir().glob(f"*/{Path(name).name}.py"))
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / f"{name}.py")
    return folder


def test_cases_may_change_and_statements_may_not(mine: Path, tmp_path: Path, cpu_codegen: Run) -> None:
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
        ("mine/cake_order", "hard"),
    }

    file = mine / "easy" / "ferry_peak.py"
    file.write_text(file.read_text(encoding="utf-8") + "\nCASES = CASES[:3]\n", encoding="utf-8")
    (mine / "twice.py").write_text(GOOD, encoding="utf-8")
    again = cpu_codegen(*RUN, "-s", "mine")
    assert again.returncode == 0, again.stderr
    assert lines(out / "generations.jsonl")[:2] == answers
    judged = [r["problem_id"] for r in lines(out / "results.jsonl")]
    assert sorted(judged) == ["mine/cake_order", "mine/ferry_peak", "mine/ferry_peak", "mine/twice"]
    now = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["suites"]["mine"]
    assert now["hash"] != facts["hash"]

    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('"""Return', '"""Now return'), encoding="utf-8")
    refused = cpu_codegen(*RUN, "-s", "mine")
    assert refused.returncode == 6
    assert "another statement of mine/ferry_peak" in refused.stderr
    assert "--out another/folder" in refused.stderr


def test_lines_run_and_are_measured(tmp_path: Path, cpu_codegen: Run) -> None:
    """Claim: problems exported in EvalPlus's layout run as a file of one's own, pass as the originals do, and are measured; moved
    tasks are found with -s."""
    exported = cpu_codegen("problems", "export", "--out", "ours.jsonl")
    assert exported.returncode == 0
    records = [json.loads(line) for line in (tmp_path / "ours.jsonl").read_text(encoding="utf-8").splitlines()]
    chosen = [r for r in records if r["task_id"].endswith(("/ferry_peak", "/lamp_relay"))]
    write_lines(tmp_path / "few.jsonl", *chosen)
    ran = cpu_codegen(*RUN, "-s", "few.jsonl", "-o", "json")
    assert ran.returncode == 0, ran.stderr
    results = lines(tmp_path / "out" / "results.jsonl")
    assert [r["problem_id"].partition("/")[0] for r in results] == ["few"] * len(chosen)
    assert {r["outcome"] for r in results} == {"passed"}
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "few.jsonl").rename(tmp_path / "elsewhere" / "few.jsonl")
    lost = cpu_codegen("efficiency", "out", "--budget", "1s")
    assert lost.returncode == 2
    assert "which is gone" in lost.stderr
    found = cpu_codegen("efficiency", "out", "--budget", "4s", "-s", "elsewhere/few.jsonl", "-o", "json")
    assert found.returncode == 0, found.stderr
    assert len(lines(tmp_path / "out" / "efficiency.jsonl")) == len(results)


def test_a_broken_task_ends_every_command_before_work_begins(tmp_path: Path, cpu_codegen: Run) -> None:
    """Claim: run, score, plan and validate exit 2 with file and line at the first broken task, nothing is written; with
    --keep-going the rest is done and what is missing is told, also in the manifest."""
    write_folder(tmp_path / "mine", twice=GOOD, zzz="def zzz(x)\n")
    samples = write_lines(
        tmp_path / "s.jsonl", {"task_id": "twice", "solution": "def twice(v):\n    return [x + x for x in v]"}
    )
    commands = (
        (*RUN, "-s", "mine"),
        ("score", samples.name, "-s", "mine", "-o", "jsonl"),
        ("plan", "-m", "demo", "-s", "mine", "--offline", "--as-if", "ram=4G"),
        ("problems", "list", "mine"),
    )
    for command in commands:
        ended = cpu_codegen(*command)
        assert ended.returncode == 2, command
        assert "zzz.py:1: not Python: expected ':'" in ended.stderr
        assert "try:" in ended.stderr
    assert not (tmp_path / "out").exists()
    ran, scored, *_ = [cpu_codegen(*command, "--keep-going") for command in commands if command[0] != "plan"]
    assert ran.returncode == 0, ran.stderr
    assert "left out: mine/zzz.py:1" in ran.stderr
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["suites"]["mine"]["left_out"]) == 1
    assert json.loads(scored.stdout)["outcome"] == "passed"
    reported = cpu_codegen("report", "out")
    assert "mine: 1 broken task left out" in reported.stdout


def test_levels_limits_and_ids_choose_among_own_tasks(tmp_path: Path, cpu_codegen: Run) -> None:
    """Claim: --ids takes a task_id as it stands in the file; a level that the suite has not is a usage error, not an empty run."""
    write_lines(tmp_path / "t.jsonl", {**HUMANEVAL, "level": "easy"}, EVALPLUS)
    ran = cpu_codegen(*RUN, "-s", "t.jsonl", "--ids", "acme/2", "--max-tokens", "8")
    assert ran.returncode == 0, ran.stderr
    assert [g["problem_id"] for g in lines(tmp_path / "out" / "generations.jsonl")] == ["t/acme/2"]
    none = cpu_codegen(*RUN, "-s", "t.jsonl", "--level", "hard")
    assert none.returncode == 2
    assert "no problem of t is asked for" in none.stderr


def test_scores_of_own_tasks_take_either_name(tmp_path: Path, cpu_codegen: Run) -> None:
    """Claim: a samples file may name tasks as the tasks file does or with the suite before it; a mixed file gets each its rate."""
    write_lines(tmp_path / "t.jsonl", HUMANEVAL, EVALPLUS)
    right = {"completion": "    return a + b\n"}
    write_lines(
        tmp_path / "s.jsonl",
        {"task_id": "acme/1", **right},
        {"task_id": "t/acme/2", "solution": "def add(a, b): return 0"},
    )
    scored = cpu_codegen("score", "s.jsonl", "-s", "t.jsonl", "-o", "json")
    assert scored.returncode == 0, scored.stderr
    rates = {rate["tests"]: (rate["value"], rate["problems"]) for rate in json.loads(scored.stdout)["pass_at_k"]}
    assert rates == {"all": (1.0, 1), "base": (0.0, 1), "plus": (0.0, 1)}
