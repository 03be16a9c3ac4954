"""Tests that are statements: they run here, against a stand-in that calls the candidate in its own process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cpu_codegen.judging import verdict
from cpu_codegen.sandbox.inside.calls import Candidate
from cpu_codegen.sandbox.inside.replies import CandidateFault, HarnessFault


def decide(job: dict[str, Any], candidates: list[Candidate], prepared: Callable[[], None]) -> dict[str, Any]:
    """Prelude, test, and `check(entry point)` where the task has one; passed needs at least one call."""
    task, name = job["task"], job["entry_point"]
    namespace: dict[str, Any] = {"__name__": "checker"}
    exec(_compiled(task["prelude"], "<prelude>"), namespace)
    test = _compiled(task["test"], "<test>")
    prepared()
    candidate = candidates[0]
    # a test such as all(map(…)) would end early, and pass; one that expects the exception names it
    candidate.may_stop = "StopIteration" in task["test"]
    candidate.is_patient = True  # a core that others held is no fault of the program's
    namespace[name] = candidate.function(name)
    try:
        candidate.load(job["code"], name, "strict")
        exec(test, namespace)
        if task["call_check"]:
            namespace["check"](namespace[name])
    except CandidateFault as fault:
        found = verdict.of_fault(fault)
    except HarnessFault:
        raise
    except BaseException as error:
        found = _of_exception(error, candidate, task["test"])
    else:
        found = {"outcome": "passed"} if candidate.calls else verdict.of_wrong("the test never called the program")
    if candidate.fault is not None:
        found = verdict.of_fault(candidate.fault)
    return {**verdict.with_counts(found, int(found["outcome"] == "passed"), 1), "calls": candidate.calls}


def _compiled(source: str, name: str) -> Any:
    return compile(source, name, "exec", dont_inherit=True, optimize=0)  # optimize=0: -O must not delete asserts


def _of_exception(error: BaseException, candidate: Candidate, test: str) -> dict[str, Any]:
    """An exception that the candidate raised is its error; any other came from a test that met a wrong value."""
    if error is candidate.last_error:
        return verdict.of_error(error.__dict__["_described"])
    if isinstance(error, MemoryError):
        return {"outcome": "error", "detail": "output_too_large", "message": "the test ran out of memory on the output"}
    line = _failing_line(error, test)
    return verdict.of_wrong(line if isinstance(error, AssertionError) else f"{type(error).__name__} in: {line}")


def _failing_line(error: BaseException, test: str) -> str:
    lines, trace, number = test.splitlines(), error.__traceback__, 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<test>":
            number = trace.tb_lineno
        trace = trace.tb_next
    return lines[number - 1].strip() if 0 < number <= len(lines) else ""
