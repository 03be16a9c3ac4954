"""JSON lines of one's own in HumanEval's or EvalPlus's layout → problems. Parsed only; nothing of them runs here.

HumanEval's layout   task_id, prompt, entry_point, test (and canonical_solution): `test` defines check(candidate), or is asserts
EvalPlus's layout    task_id, prompt, entry_point, canonical_solution, base_input (and plus_input, atol): argument lists; what is
                     expected is what the canonical solution gives

A task named as EvalPlus names its own (HumanEval/N, Mbpp/N) is judged by that suite's rules, so that a part of their files means
what the whole does; any other by equality alone. Optional "level": easy, medium or hard. Not covered: running the solutions
(own_checks.py).
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import zlib
from keyword import iskeyword
from pathlib import Path
from typing import Any, Literal, NoReturn

from cpu_codegen.errors import UsageError
from cpu_codegen.numbered_lines import Line, numbered_lines
from cpu_codegen.schema import LEVELS, AssertTask, EvalPlusTask, Level, Problem
from cpu_codegen.suites.lowcost60 import parsed

MAX_LINE_BYTES = 64 << 20
MAX_TASK_ID_CHARS = 200
REFERENCE_LIMIT_S = 60.0
_NEEDS = '"task_id", "prompt", "entry_point", and "test" or "canonical_solution" with "base_input"'
_PUBLISHED = re.compile(r"(HumanEval|Mbpp)/\d{1,6}")


def _refuse(line: Line, what: str, expected: str = _NEEDS) -> NoReturn:
    line.refuse(what, f"expected here: {expected}")


def load_task_lines(path: Path, *, suite: str, left_out: list[UsageError] | None = None) -> list[Problem]:
    """The tasks of a .jsonl or .jsonl.gz, in its order; ids are `<suite>/<task_id>`.

    Raises UsageError that names line and what is expected, or puts it into `left_out` where that is given. Raises it for a file
    that holds no task at all.
    """
    found: dict[str, Problem] = {}
    lines = 0
    for line in numbered_lines(path, max_bytes=MAX_LINE_BYTES, shape=f"one JSON object with {_NEEDS}"):
        lines += 1
        try:
            problem = _problem(line, suite)
            if problem.id in found:
                _refuse(line, f"task_id of {found[problem.id].origin} again", "a task_id of its own")
        except UsageError as error:
            if left_out is None:
                raise
            left_out.append(error)
        else:
            found[problem.id] = problem
    if not lines:
        raise UsageError(f"{path}:1: no tasks", remedy=f"one JSON object a line: {_NEEDS}")
    return list(found.values())


def _problem(line: Line, suite: str) -> Problem:
    record = line.record()
    task_id, prompt, entry_point = (_text(line, record, name) for name in ("task_id", "prompt", "entry_point"))
    if len(task_id) > MAX_TASK_ID_CHARS or not task_id.isprintable():
        _refuse(line, f"no task_id: {task_id[:40]!r}", f'"task_id": at most {MAX_TASK_ID_CHARS} printable characters')
    if not entry_point.isidentifier() or iskeyword(entry_point):
        _refuse(line, f"{entry_point[:100]!r} can be no function's name", '"entry_point": the name of the function')
    _require_python(line, prompt)
    problem_id = task_id if task_id.startswith(f"{suite}/") else f"{suite}/{task_id}"
    has_inputs = "base_input" in record
    return Problem(
        id=problem_id,
        suite=suite,
        level=_level(line, record),
        entry_point=entry_point,
        statement=prompt,
        data_hash=hashlib.sha256(line.data.rstrip(b"\r\n")).hexdigest(),
        task=_with_inputs(line, record, problem_id) if has_inputs else _with_test(line, record),
        title=entry_point,
        origin=str(line),
    )


def _text(line: Line, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        _refuse(line, f'"{name}" is missing' if name not in record else f'"{name}" is no text')
    if any("\ud800" <= character <= "\udfff" for character in value):
        _refuse(line, f'"{name}" holds half a character (a lone surrogate)', "text that UTF-8 can say")
    return value


def _level(line: Line, record: dict[str, Any]) -> Level | Literal[""]:
    value = record.get("level") or ""
    for level in LEVELS:
        if value == level:
            return level
    if value:
        _refuse(line, f'"level" {str(value)[:40]!r} is not known', ", ".join(LEVELS))
    return ""


def _require_python(line: Line, prompt: str) -> None:
    """A prompt is a whole beginning: signature and docstring, or (MBPP) a docstring alone."""
    try:
        parsed(prompt.rstrip("\n") + "\n    pass\n", where=str(line))
    except UsageError:
        try:
            parsed(prompt, where=str(line))
        except UsageError as error:
            _refuse(line, f'"prompt" is {str(error).partition(": ")[2]}', "imports, signature and docstring")


def _with_test(line: Line, record: dict[str, Any]) -> AssertTask:
    """HumanEval's layout; a test without check(candidate) is asserts that call the function by its name."""
    if "test" not in record:
        _refuse(line, 'neither "test" nor "base_input"')
    test, prompt = _text(line, record, "test"), str(record["prompt"])
    try:
        tree = parsed(test, where=str(line))
    except UsageError as error:
        _refuse(line, f'"test" is {str(error).partition(": ")[2]}', "def check(candidate) with asserts, or asserts")
    defines_check = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    solution = _text(line, record, "canonical_solution") if record.get("canonical_solution") else ""
    # the prompt is the prelude only where it stands by itself: some tests use its helpers
    prelude = prompt if _stands_alone(prompt) else ""
    return AssertTask(test, prelude, call_check=defines_check, canonical=prompt + solution if solution else "")


def _stands_alone(prompt: str) -> bool:
    try:
        parsed(prompt, where="")
    except UsageError:
        return False
    return True


def _with_inputs(line: Line, record: dict[str, Any], problem_id: str) -> EvalPlusTask:
    """EvalPlus's layout."""
    solution = _text(line, record, "canonical_solution")
    for name in ("base_input", "plus_input"):
        inputs = record.get(name) or []
        if not isinstance(inputs, list) or not all(isinstance(arguments, list) for arguments in inputs):
            _refuse(
                line, f'"{name}" is no list of argument lists', f'"{name}": [[1, 2], [3, 4]] calls f(1, 2) and f(3, 4)'
            )
    if not record["base_input"] and not record.get("plus_input"):
        _refuse(line, "no inputs", '"base_input": [[1, 2], …]')
    atol = record.get("atol") or 0
    if not isinstance(atol, int | float) or not 0 <= atol < 1e300:
        _refuse(line, '"atol" is no number', '"atol": 0, or the absolute tolerance')
    published = _PUBLISHED.fullmatch(record["task_id"])
    rules: Literal["humaneval+", "mbpp+", "own"] = "own"
    if published:
        rules = "humaneval+" if published[1] == "HumanEval" else "mbpp+"
    inputs_alone = {"base_input": record["base_input"], "plus_input": record.get("plus_input") or []}
    return EvalPlusTask(
        suite=rules,
        task_id=record["task_id"] if published else problem_id,
        canonical=record["prompt"] + solution,
        packed_record=zlib.compress(json.dumps(inputs_alone).encode(), 1),
        atol=float(atol),
        reference_limit_s=REFERENCE_LIMIT_S,
    )
