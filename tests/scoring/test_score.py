"""`cpu-codegen score`: one line per sample in order, kept verdicts, exit codes. On our own problems, whose references are here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.errors import UsageError
from cpu_codegen.progress import Silent
from cpu_codegen.schema import EvalPlusTask, Execution, Isolation, Job, Limits, Outcome, ProblemFileTask
from cpu_codegen.scoring import score as scoring
from cpu_codegen.scoring.samples import Submission
from cpu_codegen.scoring.verdicts import Verdicts
from cpu_codegen.suites.load import load_suite
from cpu_codegen.suites.lowcost60 import load_lowcost60

FIELDS = {
    *("task_id", "index", "outcome", "base_status", "plus_status"),
    *("tests_passed", "tests_total", "cpu_s", "peak_rss_bytes"),
}
PROBLEMS = [problem for problem in load_lowcost60() if isinstance(problem.task, ProblemFileTask)][:3]


def solution(number: int, extra: str = "") -> dict[str, str]:
    """The reference of a problem as a sample."""
    task = PROBLEMS[number].task
    assert isinstance(task, ProblemFileTask)
    return {"task_id": PROBLEMS[number].id, "solution": task.source + extra}


def write(path: Path, *samples: dict[str, str]) -> Path:
    """A samples file."""
    path.write_text("".join(json.dumps(sample) + "\n" for sample in samples), encoding="utf-8")
    return path


def score(path: Path, *options: str, home: Path, piped: str = "") -> subprocess.CompletedProcess[str]:
    """The command, with a cache of its own."""
    return subprocess.run(
        [sys.executable, "-m", "cpu_codegen", "score", str(path), *options],
        env={**os.environ, "XDG_CACHE_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=120,
        input=piped,
    )


def records(finished: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    """The lines of -o jsonl."""
    assert finished.returncode == 0, finished.stderr
    return [json.loads(line) for line in finished.stdout.splitlines()]


def test_one_line_per_sample_in_the_order_of_the_file(tmp_path: Path) -> None:
    """Whatever finishes first, and equal programs each with a line of their own; here of a pipe, which can be read only once."""
    wrong = {"task_id": PROBLEMS[1].id, "solution": f"def {PROBLEMS[1].entry_point}(*args): return None"}
    slow = solution(0, "\nimport time\ntime.sleep(1)\n")
    path = write(tmp_path / "s.jsonl", slow, wrong, solution(2), solution(0), solution(2))
    found = records(score(Path("-"), "-s", "lowcost60", "-o", "jsonl", home=tmp_path, piped=path.read_text()))
    assert [record["index"] for record in found] == [0, 1, 2, 3, 4]
    assert [record["task_id"] for record in found] == [PROBLEMS[i].id for i in (0, 1, 2, 0, 2)]
    assert [record["outcome"] for record in found] == ["passed", "wrong", "passed", "passed", "passed"]
    assert all(record.keys() >= FIELDS for record in found)
    assert all(record["tests_total"] >= record["tests_passed"] > 0 for record in found if record["outcome"] == "passed")
    assert found[2] == {**found[4], "index": 2}


def test_the_same_command_goes_on_and_a_changed_sample_is_judged_anew(tmp_path: Path) -> None:
    """A kept verdict answers for the same program of the same problem, in any file, and for no other."""
    home = tmp_path / "home"
    first = records(score(write(tmp_path / "a.jsonl", solution(0)), "-s", "lowcost60", "-o", "jsonl", home=home))
    kept = next((home / "cpu-codegen" / "verdicts").iterdir())
    before = kept.read_text()
    kept.write_text(before + '{"key": "torn')
    broken = {**solution(0), "solution": solution(0)["solution"] + f"\n{PROBLEMS[0].entry_point} = None\n"}
    path = write(tmp_path / "b.jsonl", broken, solution(0))
    second = records(score(path, "-s", "lowcost60", "-o", "jsonl", home=home))
    assert [record["outcome"] for record in second] == ["error", "passed"]
    assert second[1] == {**first[0], "index": 1}
    assert len([line for line in kept.read_text().splitlines() if line.endswith("}")]) == 2
    again = records(score(path, "-s", "lowcost60", "-o", "jsonl", home=home))
    assert again == second


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="Windows has no SIGKILL")
def test_killed_in_the_middle_it_goes_on_where_it_was(tmp_path: Path) -> None:
    """SIGKILL while programs run: what was judged is kept and not judged again, the rest is judged."""
    home = tmp_path / "home"
    slow = [solution(n % 3, f"\nimport time\ntime.sleep(0.25)  # {n}\n") for n in range(6)]
    path = write(tmp_path / "s.jsonl", *slow)
    options = ["-s", "lowcost60", "-o", "jsonl", "--workers", "1"]
    command = [sys.executable, "-m", "cpu_codegen", "score", str(path), *options]
    environment = {**os.environ, "XDG_CACHE_HOME": str(home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while len(kept := kept_lines(home)) < 2 and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    found = records(score(path, *options, home=home))
    assert [(record["index"], record["outcome"]) for record in found] == [(n, "passed") for n in range(6)]
    after = kept_lines(home)
    assert after[: len(kept)] == kept
    assert len({json.loads(line)["key"] for line in after}) == len(after) == 6


def kept_lines(home: Path) -> list[str]:
    """Whole lines of the verdicts that are kept."""
    files = list((home / "cpu-codegen" / "verdicts").glob("*.jsonl"))
    return [line for file in files for line in file.read_text().splitlines() if line.endswith("}")]


def test_a_bad_line_executes_nothing_and_exits_2(tmp_path: Path) -> None:
    """The samples before it are not judged either."""
    path = write(tmp_path / "s.jsonl", solution(0), {"task_id": "HumanEval/0", "solution": ""})
    finished = score(path, "-s", "lowcost60", "-o", "jsonl", home=tmp_path / "home")
    assert finished.returncode == 2
    assert finished.stdout == ""
    assert f"{path}:2: lowcost60 has no task 'HumanEval/0'" in finished.stderr
    assert "try:" in finished.stderr
    assert not (tmp_path / "home" / "cpu-codegen" / "verdicts").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["none.jsonl", "-s", "humaneval+", "--offline"], 2, "cannot read none.jsonl"),
        (["none", "-s", "humaneval+", "--offline"], 2, "none is no run folder"),
        (["-", "-s", "lowcost60"], 2, "standard input holds no samples"),
        (["s.jsonl", "-s", "nope"], 2, "no suite"),
        (["s.jsonl", "-s", "lowcost60", "--comparator", "loose"], 2, "--comparator"),
        (["s.jsonl", "-s", "humaneval+", "--offline"], 4, "offline"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: list[str], code: int, says: str) -> None:
    """Exit code, cause, remedy."""
    write(tmp_path / "s.jsonl", solution(0))
    environment = {k: v for k, v in os.environ.items() if k != "CPU_CODEGEN_DATASETS"}
    finished = subprocess.run(
        [sys.executable, "-m", "cpu_codegen", "score", *arguments],
        cwd=tmp_path,
        env={**environment, "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert finished.returncode == code
    assert says in finished.stderr
    assert "try:" in finished.stderr


def test_the_summary_has_intervals_and_says_what_is_partial(tmp_path: Path) -> None:
    """Three problems of sixty are no figure for the suite."""
    path = write(tmp_path / "s.jsonl", solution(0), solution(1), {"task_id": PROBLEMS[2].id, "solution": ""})
    finished = score(path, "-s", "lowcost60", home=tmp_path)
    assert finished.returncode == 0
    assert "3 samples of 3 problems of 60: no figure for the whole suite" in finished.stdout
    assert "66.7 %" in finished.stdout
    assert "no_code" in finished.stdout
    summary = json.loads(score(path, "-s", "lowcost60", "-o", "json", home=tmp_path).stdout)
    assert summary["outcomes"] == {"passed": 2, "no_code": 1}
    assert summary["pass_at_k"][0]["interval"]["low"] < summary["pass_at_k"][0]["value"] < 1


class Recorder:
    """A sandbox that passes everything and keeps the order of what it was given."""

    isolation = Isolation("A", ())

    def __init__(self) -> None:
        self.order: list[str] = []

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *exception: object) -> None:
        return None

    def judge(self, jobs: Iterable[Job]) -> Iterator[Execution]:
        """One after the other."""
        for job in jobs:
            assert isinstance(job.task, EvalPlusTask)
            self.order.append(job.task.task_id)
            yield Execution(job.id, Outcome.PASSED, base_status="pass", plus_status="pass")


def begun(submissions: list[Submission], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks in the order in which their samples are handed to the sandbox; records come in the order of the file."""
    recorder = Recorder()
    monkeypatch.setattr(scoring, "open_sandbox", lambda **options: recorder)
    with Verdicts("test", fresh=True) as verdicts:
        how = scoring.Scoring("evalplus", Limits(), workers=1)
        found = list(scoring.score(lambda: submissions, how, verdicts, Silent()))
    assert [record["task_id"] for record in found] == [submission.problem.id for submission in submissions]
    assert sorted(recorder.order) == sorted(submission.problem.id for submission in submissions)
    return recorder.order


def test_long_tasks_are_judged_first_and_told_in_their_place(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one worker would still be at the longest one when the others are done."""
    monkeypatch.setenv("CPU_CODEGEN_DATASETS", str(shared / "datasets"))
    problems = load_suite("mbpp+")
    order = begun(
        [Submission(i, problem, f"code {i // len(problems)}") for i, problem in enumerate(problems * 3)], monkeypatch
    )
    assert order[:2] == ["Mbpp/599", "Mbpp/392"]
    assert len(set(order[: len(problems)])) == len(problems)


def test_no_more_is_looked_ahead_at_than_memory_is_allowed(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of huge samples the first ones begin before the last ones are read."""
    monkeypatch.setenv("CPU_CODEGEN_DATASETS", str(shared / "datasets"))
    monkeypatch.setattr(scoring, "LOOK_AHEAD_BYTES", 50_000)
    problems = load_suite("mbpp+")
    last = [problem.id for problem in problems].index("Mbpp/599")
    order = begun([Submission(i, problem, "code" * 1000) for i, problem in enumerate(problems)], monkeypatch)
    assert last - 12 < order.index("Mbpp/599") < last


def test_samples_that_change_meanwhile_are_refused() -> None:
    """A verdict is kept under the key of the program that ran, or not at all."""
    versions = iter(["one", "two"])

    def read() -> list[Submission]:
        return [Submission(0, PROBLEMS[0], next(versions))]

    with Verdicts("other", fresh=True) as verdicts, pytest.raises(UsageError, match="changed"):
        list(scoring.score(read, scoring.Scoring("strict", Limits(), workers=1), verdicts, Silent()))


def test_a_record_has_every_field(tmp_path: Path) -> None:
    """What score() keeps is what the output promises, besides the sample's own name and place."""
    assert FIELDS - {"task_id", "index"} <= set(scoring.FIELDS)


def test_json_is_one_object_whatever_o_says(tmp_path: Path) -> None:
    """The hidden --json goes before -o, as everywhere; lines and an object would be neither."""
    path = write(tmp_path / "s.jsonl", solution(0))
    told = json.loads(score(path, "-s", "lowcost60", "--json", "-o", "jsonl", home=tmp_path).stdout)
    assert (told["samples"], told["outcomes"]) == (1, {"passed": 1})
