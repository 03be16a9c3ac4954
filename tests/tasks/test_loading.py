"""Tasks of one's own are read and named without being run; what is broken is told with file, line and what is expected."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.config import RunConfig
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.schema import AssertTask, EvalPlusTask, Problem
from cpu_codegen.session import differences, grow_scope, new_manifest
from cpu_codegen.suites.load import SUITES, load_suite, open_suites
from cpu_codegen.suites.own import own_name
from tests.tasks.support import BODY, EVALPLUS, GOOD, HUMANEVAL, PROMPT, write_folder, write_lines


def test_a_folder_is_a_suite_named_after_it(tmp_path: Path) -> None:
    """Claim: ids are <folder>/<slug>, folders of levels give levels, files with _ in front are no problems."""
    folder = write_folder(
        tmp_path / "my_tasks", twice=GOOD, hard__thrice=GOOD.replace("twice", "thrice"), _notes="x = "
    )
    found = {problem.id: problem.level for problem in load_suite(str(folder))}
    assert found == {"my_tasks/twice": "", "my_tasks/thrice": "hard"}


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("lowcost60", "own-lowcost60"),
        ("HumanEval.jsonl", "own-HumanEval"),
        ("mbpp+.jsonl.gz", "own-mbpp+"),
        ("my tasks", "my-tasks"),
        ("…", "tasks"),
    ],
)
def test_a_name_never_clashes_with_ours(given: str, name: str, tmp_path: Path) -> None:
    """Claim: a suite of one's own that is called as one of ours gets another name, so its ids cannot be taken for ours."""
    assert own_name(tmp_path / given) == name


def test_both_layouts_of_json_lines_are_tasks(tmp_path: Path) -> None:
    """Claim: HumanEval's layout becomes a test to run, EvalPlus's inputs and a reference; levels, gzip and task_ids are kept."""
    path = tmp_path / "tasks.jsonl.gz"
    text = json.dumps(HUMANEVAL) + "\n\n" + json.dumps({**EVALPLUS, "level": "hard"}) + "\n"
    path.write_bytes(gzip.compress(text.encode()))
    first, second = load_suite(str(path))
    assert (first.id, first.level, second.id, second.level) == ("tasks/acme/1", "", "tasks/acme/2", "hard")
    assert isinstance(first.task, AssertTask)
    assert (first.task.call_check, first.task.canonical) == (True, PROMPT + BODY)
    assert isinstance(second.task, EvalPlusTask)
    assert (second.task.suite, second.origin) == ("own", f"{path}:3")


def test_published_tasks_keep_their_suites_rules(tmp_path: Path) -> None:
    """Claim: a part of EvalPlus's own files is judged by that suite's rules; any other id by equality alone."""
    names = ("HumanEval/32", "Mbpp/2", "Mbpp/x", "acme/2")
    path = write_lines(tmp_path / "some.jsonl", *({**EVALPLUS, "task_id": name} for name in names))
    tasks = [problem.task for problem in load_suite(str(path))]
    assert [task.suite for task in tasks if isinstance(task, EvalPlusTask)] == ["humaneval+", "mbpp+", "own", "own"]


@pytest.mark.parametrize(
    ("name", "text", "line", "says"),
    [
        ("syntax", "def syntax(x)\n    pass\n", 1, "not Python"),
        ("other", GOOD, 1, "no function other"),
        ("mute", "\n\ndef mute(x):\n    return x\n", 3, "no docstring"),
        ("latin", b'"""x"""\n\n# caf\xe9\n', 3, "not UTF-8"),
        ("huge", b"x" * 10_000_000, 1, "10000000 bytes"),
        ("deep", "x = " + "-" * 90_000 + "1\n", 1, "nested too deep"),
        ("nul", "x = 1\0\n", 1, "not Python"),
        ("blank", GOOD.replace("twice", "blank").replace("in order.", "FILL IN: the order"), 8, "1 blank to fill in"),
        ("my file", GOOD, 1, "no function's name"),
    ],
)
def test_a_broken_file_is_told_with_line_and_remedy(
    name: str, text: str | bytes, line: int, says: str, tmp_path: Path
) -> None:
    """Claim: the first broken file ends the loading, with its place and what to do; with `left_out` the others are there."""
    folder = write_folder(tmp_path / "mine", twice=GOOD, **{name: text})
    with pytest.raises(UsageError) as caught:
        load_suite(str(folder))
    assert f"{name}.py:{line}: " in str(caught.value)
    assert says in str(caught.value)
    assert caught.value.remedy
    left_out: list[UsageError] = []
    assert [problem.id for problem in load_suite(str(folder), left_out=left_out)] == ["mine/twice"]
    assert len(left_out) == 1


def test_two_suites_with_the_same_problems_are_two_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: HumanEval and HumanEval+ share ids, so one answer would stand for two problems: refused, also one after the other."""
    ours = load_suite("lowcost60")[:2]

    def called(name: str) -> Callable[[bool], list[Problem]]:
        return lambda offline: [replace(problem, suite=name) for problem in ours]

    for name in ("base", "plus"):
        monkeypatch.setitem(SUITES, name, called(name))
    with pytest.raises(UsageError, match="base and plus hold the same problems") as refused:
        open_suites(("base", "plus"), offline=True, keep_going=False, allow_weak=False)
    assert "--reuse" in str(refused.value.remedy)
    base, plus = (prepare(RunConfig("demo", suites=(name,), offline=True)) for name in ("base", "plus"))
    manifest = new_manifest(base)
    grow_scope(manifest, RunConfig("demo"), base)
    assert differences(manifest, base) == []
    assert differences(manifest, plus) == ["suite base, which holds the same problems"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Claim: a named pipe in the folder is refused, not read."""
    folder = write_folder(tmp_path / "mine", twice=GOOD)
    os.mkfifo(folder / "pipe.py")
    with pytest.raises(UsageError, match=r"pipe\.py:1: not a regular file"):
        load_suite(str(folder))


@pytest.mark.parametrize(
    ("line", "says", "expects"),
    [
        ("{", "not JSON", '"prompt"'),
        (b'{"task_id": "\xff"}', "not UTF-8", "UTF-8"),
        ("[1]", "no JSON object", '"prompt"'),
        ({}, '"task_id" is missing', '"task_id"'),
        ({**HUMANEVAL, "prompt": 3}, '"prompt" is no text', '"prompt"'),
        ({**HUMANEVAL, "entry_point": "a b"}, "no function's name", "entry_point"),
        ({**HUMANEVAL, "prompt": "def add(a, b:\n"}, '"prompt" is not Python', "signature"),
        ({**HUMANEVAL, "test": "def check(candidate"}, '"test" is not Python', "check"),
        ({k: v for k, v in HUMANEVAL.items() if k != "test"}, 'neither "test" nor "base_input"', "base_input"),
        ({**HUMANEVAL, "level": "brutal"}, "'brutal' is not known", "easy"),
        ({**HUMANEVAL, "prompt": "\ud800"}, "surrogate", "UTF-8"),
        ({**EVALPLUS, "base_input": [1, 2]}, "no list of argument lists", "calls f(1, 2)"),
        ({**EVALPLUS, "base_input": [], "plus_input": []}, "no inputs", "base_input"),
        ({**EVALPLUS, "atol": "x"}, '"atol" is no number', "tolerance"),
        ({k: v for k, v in EVALPLUS.items() if k != "canonical_solution"}, "canonical_solution", "base_input"),
        (HUMANEVAL, "task_id of", "a task_id of its own"),
        ("[" * 100_000, "not JSON", '"prompt"'),
    ],
)
def test_a_broken_line_is_told_with_its_number(line: object, says: str, expects: str, tmp_path: Path) -> None:
    """Claim: what is wrong with a line of tasks.jsonl is told by number, with what is expected there."""
    path = write_lines(tmp_path / "tasks.jsonl", HUMANEVAL, line)
    with pytest.raises(UsageError) as caught:
        load_suite(str(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert says in str(caught.value)
    assert expects in (caught.value.remedy or "")


def test_what_is_nothing_says_what_would_be_something(tmp_path: Path) -> None:
    """Claim: an unknown name, an empty folder and an empty file are usage errors that name the choices."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.jsonl").touch()
    for name, says in (
        ("nosuch", "no suite"),
        (tmp_path / "empty", "no problem files"),
        (tmp_path / "empty.jsonl", "no tasks"),
    ):
        with pytest.raises(UsageError, match=says) as caught:
            load_suite(str(name))
        assert caught.value.remedy
