"""A run's answers are scored without touching the run."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.cli.score import score as command
from cpu_codegen.errors import UsageError
from cpu_codegen.schema import AssertTask, Problem
from cpu_codegen.scoring.answers import read_answers
from cpu_codegen.store import RunFolder
from tests.report.support import write_run

PROBLEMS = {
    f"T/{i}": Problem(f"T/{i}", "t", "", "f", "def f(x):\n    '''Twice x.'''\n", "h", AssertTask("assert f(1) == 2"))
    for i in range(3)
}
ANSWER = "Sure.\n\n```python\ndef f(x):\n    return 2 * x\n```\n"


def generation(problem_id: str, text: str, **fields: Any) -> dict[str, Any]:
    """A line of generations.jsonl, as far as it matters here."""
    return {"key": f"{problem_id}{text}", "problem_id": problem_id, "text": text, "finish_reason": "eos", **fields}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run folder with four answers."""
    with RunFolder(tmp_path / "run", writable=True) as folder:
        folder.write_manifest({"judging": {"extract": "default"}})
        for line in (
            generation("T/0", ANSWER),
            generation("T/1", "I cannot do that."),
            generation("T/2", "", finish_reason="engine_error"),
            generation("Other/1", ANSWER),
        ):
            folder.append("generations", line)
    return tmp_path / "run"


def test_the_code_is_extracted_as_the_run_does_it(run: Path) -> None:
    """In the order of the answers; an answer without code is an empty program, a failure of the engine is none at all."""
    found = read_answers(run, PROBLEMS)
    assert [(s.index, s.problem.id, s.code.strip()) for s in found] == [
        (0, "T/0", "def f(x):\n    return 2 * x"),
        (1, "T/1", ""),
    ]
    assert sorted(path.name for path in run.iterdir()) == [".lock", "generations.jsonl", "manifest.json"]


def test_a_run_of_another_suite_is_a_usage_error(run: Path) -> None:
    """Nothing to score is said, with the option to change."""
    with pytest.raises(UsageError, match="no answers") as caught:
        command(str(run), "lowcost60")
    assert "-s" in str(caught.value.remedy)


def test_of_a_group_each_run_is_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One table, one object or one line's `run` for each; a run alone is told as before."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("one", "two"):
        write_run(tmp_path / "night" / name, name=f"{name}@q4_0", limit=2, styles=("plain",))
    (tmp_path / "night" / "group.json").write_text(json.dumps({"models": [{"folder": "one"}, {"folder": "two"}]}))
    scored = partial(CliRunner().invoke, app, catch_exceptions=False)
    told = json.loads(scored(["score", str(tmp_path / "night"), "-s", "lowcost60", "-o", "json"]).stdout)
    assert [(run["run"], run["samples"]) for run in told["runs"]] == [("one", 2), ("two", 2)]
    rows = scored(["score", str(tmp_path / "night"), "-s", "lowcost60", "-o", "jsonl"]).stdout.splitlines()
    assert [json.loads(row)["run"] for row in rows] == ["one", "one", "two", "two"]
    alone = json.loads(scored(["score", str(tmp_path / "night" / "one"), "-s", "lowcost60", "-o", "json"]).stdout)
    assert alone == {name: value for name, value in told["runs"][0].items() if name != "run"}
