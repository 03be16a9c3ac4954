"""A problem and its task: what the model sees, and what the sandboxed checker needs to decide a verdict."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from cpu_codegen.schema.words import Level


@dataclass(frozen=True, slots=True)
class ProblemFileTask:
    """One of our problem files; the checker executes `source` (reference, CASES, accept), never the parent."""

    source: str
    kind: Literal["problem_file"] = "problem_file"


@dataclass(frozen=True, slots=True)
class AssertTask:
    """Statements (asserts, or a `check(candidate)` function) that run in the checker against the proxied entry point.

    `prelude` is executed first (HumanEval: the prompt, for its helpers); `call_check` runs `check(<entry point>)` after.
    `canonical` is a whole right program, where one is given; it only says how often the test calls a program that passes.
    """

    test: str
    prelude: str = ""
    call_check: bool = False
    canonical: str = ""
    kind: Literal["assert"] = "assert"


@dataclass(frozen=True, slots=True)
class EvalPlusTask:
    """A task in EvalPlus's layout: inputs as published; expected values are the canonical solution's.

    `suite` names the rules that hold: those of HumanEval+ or MBPP+, or none but equality ("own").

    `canonical` is prompt + canonical solution. `atol` is the task's absolute tolerance. `packed_record` is the published
    record, zlib-compressed; its inputs are opened where they are used (judging/inputs.py): parsed, all tasks take 100 MB.
    `reference_limit_s` bounds what the canonical solution may take over all inputs.
    """

    suite: Literal["humaneval+", "mbpp+", "own"]
    task_id: str
    canonical: str
    packed_record: bytes = field(repr=False)
    atol: float
    reference_limit_s: float = 3600.0
    kind: Literal["evalplus"] = "evalplus"


Task = ProblemFileTask | AssertTask | EvalPlusTask


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem of one suite: what the model sees (`statement`) and what the checker uses (`task`).

    `statement` is imports + signature + docstring, without a body. `data_hash` is the sha256 of the problem's file or record.
    `level` is "" where a suite has no levels. `origin` is the file (and line) of a problem that is not ours, for messages.
    """

    id: str
    suite: str
    level: Level | Literal[""]
    entry_point: str
    statement: str
    data_hash: str
    task: Task
    title: str = ""
    topics: tuple[str, ...] = ()
    origin: str = ""
