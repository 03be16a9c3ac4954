"""Decides a verdict. This is the code that the sandboxed checker runs; the parent only books what it says.

decide(job, candidates) → a dict with outcome, detail, message, tests_total, tests_passed, base_status, plus_status, failure.
Outcome "gone" means that the candidate's process ended and the parent, which can see how, has to name it.

Trusted: the job (task, expected values). Hostile: everything that comes out of a Candidate. Not covered: processes, limits of
a process (cpu_codegen/sandbox/), what equality means (judging/equality.py, judging/comparators.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cpu_codegen.judging import asserts, evalplus, prepare, problem_file
from cpu_codegen.judging.verdict import of_fault
from cpu_codegen.sandbox.inside.calls import Candidate
from cpu_codegen.sandbox.inside.replies import CandidateFault, HarnessFault

# Raised when the same code could get another verdict; part of every result's key, of no generation's.
# 2: a program's stack, tests that catch everything, late imports under EvalPlus's guard, the function bound once, depth, wrappers
JUDGE_VERSION = 2

_JUDGES: dict[str, Callable[..., dict[str, Any]]] = {
    "problem_file": problem_file.decide,
    "assert": asserts.decide,
    "evalplus": evalplus.decide,
    "prepare": prepare.decide,
}


def decide(job: dict[str, Any], candidates: list[Candidate], prepared: Callable[..., None]) -> dict[str, Any]:
    """One job's verdict. `prepared` is called when the expected values are at hand and before the candidate gets the program."""
    try:
        return _JUDGES[job["task"]["kind"]](job, candidates, prepared)
    except CandidateFault as fault:
        return of_fault(fault)
    except (HarnessFault, Exception) as error:
        return {"outcome": "harness_error", "detail": type(error).__name__, "message": str(error)[:1000]}
