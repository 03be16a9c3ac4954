"""Several models as a user runs them: real GGUFs of one model in three quantizations, one command."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.line.conftest import Run
from tests.line.support import COMMAND, lines

pytestmark = pytest.mark.model

QUICK = ["--parallel", "4", "-t", "1", "--max-tokens", "160", "--efficiency-budget", "0", "--offline"]
SHORT_S = 30.0
ENDLESS = Path(__file__).resolve().parent.parent / "data" / "endless.gguf"


def _keys(folder: Path) -> dict[str, list[str]]:
    files = folder.glob("*/generations.jsonl")
    return {path.parent.name: [record["key"] for record in lines(path)] for path in files if path.stat().st_size}


def _group(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "group.json").read_text(encoding="utf-8"))
    return found


def test_two_models_give_one_group_one_page_and_one_object(
    cpu_codegen: Run, tmp_path: Path, quantized: tuple[Path, Path]
) -> None:
    """The smaller file first, one folder per model; a third joins later; a run folder refuses a second model; RUN takes all."""
    four, five = map(str, quantized)
    first = cpu_codegen("run", "-m", "demo", "-m", four, "--limit", "2", *QUICK, "--out", "g", "-o", "json")
    assert first.returncode == 0, first.stderr
    assert [Path(run["run"]).name for run in json.loads(first.stdout)["runs"]] == ["demo-q8-0", "demo-q4-0"]
    assert _group(tmp_path / "g")["order"] == ["demo-q4-0", "demo-q8-0"]
    assert _group(tmp_path / "g")["status"] == "finished"
    assert first.stderr.index("demo-Q4_0.gguf\n") < first.stderr.index("[2/2] demo\n")
    page = (tmp_path / "g" / "report.html").read_text(encoding="utf-8")
    assert "demo-q4-0" in page
    joined = cpu_codegen("run", "-m", five, "--limit", "2", *QUICK, "--out", "g")
    assert joined.returncode == 0, joined.stderr
    assert set(_keys(tmp_path / "g")) == {"demo-q8-0", "demo-q4-0", "demo-q5-0"}
    assert cpu_codegen("compare", "g").returncode == 0
    reported = json.loads(cpu_codegen("report", "g", "-o", "json").stdout)
    assert len(reported["runs"]) == 3
    refused = cpu_codegen("run", "-m", "demo", "-m", five, "--limit", "2", *QUICK, "--out", "g/demo-q8-0")
    assert refused.returncode == 6
    assert "--out" in refused.stderr
    other = cpu_codegen("run", "-m", "demo", "-m", five, "--limit", "2", *QUICK, "--out", "g", "--seed", "3")
    assert other.returncode == 6
    assert "seed 0, now 3" in other.stderr


def test_what_cannot_be_is_refused_before_anything_begins(cpu_codegen: Run, tmp_path: Path) -> None:
    """A model that is not there, one that stands twice, a race of one, a time that is none: no folder is left behind."""
    begun = cpu_codegen("run", "-m", "demo", "-m", "./nowhere.gguf", "--limit", "2", *QUICK, "--out", "g")
    assert begun.returncode == 4
    assert not (tmp_path / "g").exists()
    twice = cpu_codegen("run", "-m", "demo", "-m", "demo", *QUICK, "--out", "g")
    assert twice.returncode == 2
    assert "stands twice" in twice.stderr
    race = cpu_codegen("run", "-m", "demo", "--race", *QUICK)
    assert race.returncode == 2
    nonsense = cpu_codegen("run", "-m", "demo", "--until", "dawn", *QUICK)
    assert nonsense.returncode == 2
    assert "--until 07:30" in nonsense.stderr


def test_reuse_is_asked_for_and_every_line_says_where_it_comes_from(cpu_codegen: Run, tmp_path: Path) -> None:
    """Without it a run says how many; with it nothing is generated, costs come along, pass@1 is the same."""
    first = cpu_codegen("run", "-m", "demo", "--limit", "3", *QUICK, "-o", "json")
    assert first.returncode == 0, first.stderr
    told = cpu_codegen("run", "-m", "demo", "--limit", "2", *QUICK, "--out", "other")
    assert "2 of 2 answers are in earlier runs: --reuse takes them over" in told.stderr
    reused = cpu_codegen("run", "-m", "demo", "--limit", "3", *QUICK, "--out", "again", "--reuse", "-o", "json")
    assert reused.returncode == 0, reused.stderr
    assert "3 of 3 answers taken over" in reused.stderr
    records = lines(tmp_path / "again" / "generations.jsonl")
    assert len(records) == 3
    assert all(record["reused_from"].startswith("runs") for record in records)
    before, after = (json.loads(run.stdout)["groups"][0] for run in (first, reused))
    assert before["pass@1"] == after["pass@1"]
    assert after["seconds_per_problem"] == pytest.approx(before["seconds_per_problem"])
    nowhere = cpu_codegen("run", "-m", "demo", "--limit", "3", *QUICK, "--out", "third", "--reuse", "nowhere")
    assert nowhere.returncode == 2


@pytest.mark.slow
def test_killed_twice_and_resumed_three_models_keep_a_deadline_and_no_sample_comes_twice(
    cpu_codegen: Run, tmp_path: Path, quantized: tuple[Path, Path], line_env: dict[str, str]
) -> None:
    """kill -9 at two points, then the same command to its end, with one model that never closes its reasoning: equal blocks, one
    page, each key once, what was stored stays.
    """
    folder = tmp_path / "g"
    arguments = ["run", "-m", "demo", "-m", str(quantized[0]), "-m", str(ENDLESS), *QUICK, "--out", str(folder)]
    arguments += ["--max-hours", f"{SHORT_S / 3600:.6f}"]
    before: dict[str, list[str]] = {}
    for enough in (3, 9):
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=line_env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        _wait_for(folder, enough)
        process.kill()
        process.wait()
        kept = _keys(folder)
        assert all(kept[name][: len(keys)] == keys for name, keys in before.items())
        before = kept
    began = time.monotonic()
    last = cpu_codegen(*arguments, "-o", "json")
    took_s = time.monotonic() - began
    assert last.returncode == 0, last.stderr
    assert took_s <= SHORT_S + 10.0
    final = _keys(folder)
    assert all(len(keys) == len(set(keys)) for keys in final.values())
    assert all(final[name][: len(keys)] == keys for name, keys in before.items())
    assert len(json.loads(last.stdout)["runs"]) == len(final) == 3
    record = _group(folder)
    assert record["status"] in ("partial", "finished")
    assert record["rounds"], "no block was finished by all three"
    assert [path.parent for path in folder.rglob("report.html")] == [folder]
    reasoned = lines(folder / "endless" / "generations.jsonl")
    assert {line["reasoning_end"] for line in reasoned} <= {"loop", "budget"}


def _wait_for(folder: Path, answers: int) -> None:
    deadline = time.monotonic() + SHORT_S
    while time.monotonic() < deadline:
        if (
            folder.is_dir()
            and sum(path.read_bytes().count(b"\n") for path in folder.glob("*/generations.jsonl")) >= answers
        ):
            return
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform == "win32", reason="no POSIX signals on Windows")
@pytest.mark.slow
def test_an_interrupted_group_says_what_is_kept_and_the_same_command_goes_on_in_it(
    cpu_codegen: Run, tmp_path: Path, quantized: tuple[Path, Path], line_env: dict[str, str]
) -> None:
    """Ctrl-C without --out: exit 130, "interrupted" in every record; the same command finds the group and ends it."""
    arguments = ["run", "-m", "demo", "-m", str(quantized[0]), "--limit", "6", *QUICK]
    process = subprocess.Popen(
        [*COMMAND, *arguments], cwd=tmp_path, env=line_env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("runs/*/*/generations.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "kept in" in told
    assert "the same command" in told
    (folder,) = (tmp_path / "runs").iterdir()
    assert _group(folder)["status"] == "interrupted"
    assert {entry["status"] for entry in _group(folder)["models"]} <= {"interrupted", "waiting", "finished"}
    again = cpu_codegen(*arguments)
    assert again.returncode == 0, again.stderr
    assert list((tmp_path / "runs").iterdir()) == [folder]
    assert _group(folder)["status"] == "finished"
    assert all(len(keys) == len(set(keys)) == 6 for keys in _keys(folder).values())
