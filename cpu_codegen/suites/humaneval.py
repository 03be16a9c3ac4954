"""OpenAI's HumanEval: 164 problems, each judged by its own `check(candidate)`."""

from __future__ import annotations

import hashlib
import json

from cpu_codegen.schema import AssertTask, Problem
from cpu_codegen.suites.datasets import HUMANEVAL, records

SUITE = "humaneval"


def load_humaneval(*, offline: bool = False) -> list[Problem]:
    """All problems, in the publisher's order. The prompt is the checker's prelude: some tests use its helpers."""
    return [_problem(line) for line in records(HUMANEVAL, offline=offline)]


def _problem(line: bytes) -> Problem:
    record = json.loads(line)
    return Problem(
        id=record["task_id"],
        suite=SUITE,
        level="",
        entry_point=record["entry_point"],
        statement=record["prompt"],
        data_hash=hashlib.sha256(line).hexdigest(),
        task=AssertTask(
            test=record["test"],
            prelude=record["prompt"],
            call_check=True,
            canonical=record["prompt"] + record["canonical_solution"],
        ),
        title=record["entry_point"],
    )
