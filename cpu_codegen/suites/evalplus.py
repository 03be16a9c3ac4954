"""EvalPlus's HumanEval+ v0.1.10 (164 problems) and MBPP+ v0.2.0 (378): inputs, and a canonical solution to compare with."""

from __future__ import annotations

import hashlib
import json
import zlib
from typing import Any, Literal

from cpu_codegen.schema import EvalPlusTask, Problem
from cpu_codegen.suites.datasets import HUMANEVAL_PLUS, MBPP_PLUS, DataSet, records


def load_humaneval_plus(*, offline: bool = False) -> list[Problem]:
    """HumanEval+, in the publisher's order."""
    return _load(HUMANEVAL_PLUS, "humaneval+", offline=offline)


def load_mbpp_plus(*, offline: bool = False) -> list[Problem]:
    """MBPP+, in the publisher's order."""
    return _load(MBPP_PLUS, "mbpp+", offline=offline)


def canonical_solutions(suite: Literal["humaneval+", "mbpp+"], *, offline: bool = False) -> dict[str, str]:
    """The reference program of every problem, by id; for checks of the judge itself."""
    load = load_humaneval_plus if suite == "humaneval+" else load_mbpp_plus
    problems = load(offline=offline)
    return {problem.id: problem.task.canonical for problem in problems if isinstance(problem.task, EvalPlusTask)}


def _load(data_set: DataSet, suite: Literal["humaneval+", "mbpp+"], *, offline: bool) -> list[Problem]:
    return [_problem(line, suite) for line in records(data_set, offline=offline)]


def _problem(line: bytes, suite: Literal["humaneval+", "mbpp+"]) -> Problem:
    """The inputs stay packed, so that no more than one record's values are in memory."""
    record: dict[str, Any] = json.loads(line)
    return Problem(
        id=record["task_id"],
        suite=suite,
        level="",
        entry_point=record["entry_point"],
        statement=record["prompt"],
        data_hash=hashlib.sha256(line).hexdigest(),
        task=EvalPlusTask(
            suite=suite,
            task_id=record["task_id"],
            canonical=record["prompt"] + record["canonical_solution"],
            packed_record=zlib.compress(line, 1),
            atol=float(record["atol"]),
        ),
        title=record["entry_point"],
    )
