"""EvalPlus tasks of our own, small enough for a test, and how a program is judged on one."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any, Literal

from cpu_codegen.judging.limits import limits_for
from cpu_codegen.sandbox import Sandbox
from cpu_codegen.schema import EvalPlusTask, Execution, Job, Limits

ADD = "def add(x, y):\n    return x + y\n"
NUMBERS = [[2, 3], [5, 7], [0, -1]]


def task(
    canonical: str,
    base: Sequence[Any],
    plus: Sequence[Any] | dict[str, Any] = (),
    *,
    atol: float = 0.0,
    suite: Literal["humaneval+", "mbpp+"] = "humaneval+",
    task_id: str = "HumanEval/9000",
) -> EvalPlusTask:
    """A task as the suites make it from a published record."""
    record = json.dumps({"base_input": base, "plus_input": plus}).encode()
    return EvalPlusTask(suite, task_id, canonical, zlib.compress(record), atol)


def judge(
    sandbox: Sandbox,
    code: str,
    subject: EvalPlusTask,
    entry_point: str = "add",
    comparator: Literal["evalplus", "strict"] = "evalplus",
) -> Execution:
    """One program's verdict."""
    (execution,) = judge_all(sandbox, [code], subject, entry_point, comparator)
    return execution


def judge_all(
    sandbox: Sandbox,
    codes: Sequence[str],
    subject: EvalPlusTask,
    entry_point: str = "add",
    comparator: Literal["evalplus", "strict"] = "evalplus",
) -> list[Execution]:
    """Verdicts in the order of the programs."""
    limits = limits_for(subject, Limits())
    jobs = [Job(str(i), code, entry_point, subject, limits, comparator) for i, code in enumerate(codes)]
    return sorted(sandbox.judge(jobs), key=lambda execution: int(execution.job_id))


def statuses(execution: Execution) -> tuple[str | None, str | None]:
    """Base and plus."""
    return execution.base_status, execution.plus_status
