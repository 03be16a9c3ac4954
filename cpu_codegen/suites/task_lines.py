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
import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from keyword import iskeyword
from pathlib import Path
from typing import IO, Any, Literal, NoReturn

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import LEVELS, AssertTask, EvalPlusTask, Level, Problem
from cpu_codegen.suites.lowcost60 import parsed

MAX_LINE_BYTES = 64 << 20
MAX_TASK_ID_CHARS = 200
REFERENCE_LIMIT_S = 60.0
_NEEDS = '"task_id", "prompt", "entry_point", and "test" or "canonical_solution" with "base_input"'
_PUBLISHED = re.compile(r"(HumanEval|Mbpp)/\d{1,6}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of the file, for errors."""

    path: Path
    number: int

    def __str__(self) -> str:
        return f"{self.path}:{self.number}"

    def refuse(self, what: str, expected: str = _NEEDS) -> NoReturn:
        raise UsageError(f"{self}: {what}", remedy=f"expected here: {expected}")


def load_task_lines(path: Path, *, suite: str, left_out: list[UsageError] | None = None) -> list[Problem]:
    """The tasks of a .jsonl or .jsonl.gz, in its order; ids are `<suite>/<task_id>`.

    Raises UsageError that names line and what is expected, or puts it into `left_out` where that is given. Raises it for a file
    that holds no task at all.
    """
    found: dict[str, Problem] = {}
    lines = 0
    for place, line in _lines(path):
        lines += 1
        try:
            problem = _problem(place, line, suite)
            if problem.id in found:
                place.refuse(f"task_id of {found[problem.id].origin} again", "a task_id of its own")
        except UsageError as error:
            if left_out is None:
                raise
            left_out.append(error)
        else:
            found[problem.id] = problem
    if not lines:
        raise UsageError(f"{path}:1: no tasks", remedy=f"one JSON object a line: {_NEEDS}")
    return list(found.values())


def _lines(path: Path) -> Iterator[tuple[_Place, bytes]]:
    """Lines that hold something. A line that is too long ends the reading: what follows cannot be told apart."""
    number = 0
    with _open(path) as file:
        while True:
            number += 1
            place = _Place(path, number)
            try:
                line = file.readline(MAX_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                raise UsageError(f"{place}: cannot be read ({error})", remedy="write the file again") from error
            if not line:
                return
            if len(line) > MAX_LINE_BYTES:
                place.refuse(f"over {MAX_LINE_BYTES >> 20} MiB in one line", "one task a line")
            if line.strip():
                yield place, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _open(path: Path) -> gzip.GzipFile | IO[bytes]:
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise UsageError(
            f"{path}:1: cannot be read ({error.strerror})", remedy="-s with a .jsonl file of tasks"
        ) from error


def _problem(place: _Place, line: bytes, suite: str) -> Problem:
    record = _record(place, line)
    task_id, prompt, entry_point = (_text(place, record, name) for name in ("task_id", "prompt", "entry_point"))
    if len(task_id) > MAX_TASK_ID_CHARS or not task_id.isprintable():
        place.refuse(f"no task_id: {task_id[:40]!r}", f'"task_id": at most {MAX_TASK_ID_CHARS} printable characters')
    if not entry_point.isidentifier() or iskeyword(entry_point):
        place.refuse(f"{entry_point[:100]!r} can be no function's name", '"entry_point": the name of the function')
    _require_python(place, prompt)
    problem_id = task_id if task_id.startswith(f"{suite}/") else f"{suite}/{task_id}"
    has_inputs = "base_input" in record
    return Problem(
        id=problem_id,
        suite=suite,
        level=_level(place, record),
        entry_point=entry_point,
        statement=prompt,
        data_hash=hashlib.sha256(line.rstrip(b"\r\n")).hexdigest(),
        task=_with_inputs(place, record, problem_id) if has_inputs else _with_test(place, record),
        title=entry_point,
        origin=str(place),
    )


def _record(place: _Place, line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        place.refuse(f"not UTF-8 (byte {error.start + 1})", "one JSON object in UTF-8")
    except (ValueError, RecursionError) as error:
        torn = "" if line.endswith(b"\n") else "; the file ends in the middle of it"
        place.refuse(f"not JSON ({error}){torn}", f"one JSON object with {_NEEDS}")
    if not isinstance(record, dict):
        place.refuse("no JSON object", f"one JSON object with {_NEEDS}")
    return record


def _text(place: _Place, record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        place.refuse(f'"{name}" is missing' if name not in record else f'"{name}" is no text')
    if any("\ud800" <= character <= "\udfff" for character in value):
        place.refuse(f'"{name}" holds half a character (a lone surrogate)', "text that UTF-8 can say")
    return value


def _level(place: _Place, record: dict[str, Any]) -> Level | Literal[""]:
    value = record.get("level") or ""
    for level in LEVELS:
        if value == level:
            return level
    if value:
        place.refuse(f'"level" {str(value)[:40]!r} is not known', ", ".join(LEVELS))
    return ""


def _require_python(place: _Place, prompt: str) -> None:
    """A prompt is a whole beginning: signature and docstring, or (MBPP) a docstring alone."""
    try:
        parsed(prompt.rstrip("\n") + "\n    pass\n", where=str(place))
    except UsageError:
        try:
            parsed(prompt, where=str(place))
        except UsageError as error:
            place.refuse(f'"prompt" is {str(error).partition(": ")[2]}', "imports, signature and docstring")


def _with_test(place: _Place, record: dict[str, Any]) -> AssertTask:
    """HumanEval's layout; a test without check(candidate) is asserts that call the function by its name."""
    if "test" not in record:
        place.refuse('neither "test" nor "base_input"')
    test, prompt = _text(place, record, "test"), str(record["prompt"])
    try:
        tree = parsed(test, where=str(place))
    except UsageError as error:
        place.refuse(f'"test" is {str(error).partition(": ")[2]}', "def check(candidate) with asserts, or asserts")
    defines_check = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    solution = _text(place, record, "canonical_solution") if record.get("canonical_solution") else ""
    # the prompt is the prelude only where it stands by itself: some tests use its helpers
    prelude = prompt if _stands_alone(prompt) else ""
    return AssertTask(test, prelude, call_check=defines_check, canonical=prompt + solution if solution else "")


def _stands_alone(prompt: str) -> bool:
    try:
        parsed(prompt, where="")
    except UsageError:
        return False
    return True


def _with_inputs(place: _Place, record: dict[str, Any], problem_id: str) -> EvalPlusTask:
    """EvalPlus's layout."""
    solution = _text(place, record, "canonical_solution")
    for name in ("base_input", "plus_input"):
        inputs = record.get(name) or []
        if not isinstance(inputs, list) or not all(isinstance(arguments, list) for arguments in inputs):
            place.refuse(
                f'"{name}" is no list of argument lists', f'"{name}": [[1, 2], [3, 4]] calls f(1, 2) and f(3, 4)'
            )
    if not record["base_input"] and not record.get("plus_input"):
        place.refuse("no inputs", '"base_input": [[1, 2], …]')
    atol = record.get("atol") or 0
    if not isinstance(atol, int | float) or not 0 <= atol < 1e300:
        place.refuse('"atol" is no number', '"atol": 0, or the absolute tolerance')
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
