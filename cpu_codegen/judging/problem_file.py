"""One of our problem files: the reference gives what is expected of each case, `accept` decides where several answers are right."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from cpu_codegen.judging import verdict
from cpu_codegen.judging.equality import normal, same
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside.calls import Candidate
from cpu_codegen.sandbox.inside.replies import CandidateFault, Large, Raised, Reply


def run_file(source: str, name: str = "problem") -> dict[str, Any]:
    """The namespace that a problem file makes."""
    namespace: dict[str, Any] = {"__name__": name}
    exec(compile(source, f"<{name}>", "exec", dont_inherit=True, optimize=0), namespace)
    return namespace


def decide(job: dict[str, Any], candidates: list[Candidate], prepared: Callable[[], None]) -> dict[str, Any]:
    """Calls the candidate with every case, in order, up to the first failure."""
    namespace = run_file(job["task"]["source"])
    reference, cases = namespace[job["entry_point"]], namespace["CASES"]
    expected = [normal(reference(*copy.deepcopy(case))) for case in cases]
    inputs = [values.encode(list(case)) for case in cases]
    prepared()
    candidate = candidates[0]
    candidate.is_patient = True  # a core that others held is no fault of the program's
    passed = 0
    try:
        candidate.load(job["code"], job["entry_point"], "strict")
        for reply in candidate.batch(inputs, [candidate.call_s] * len(inputs)):
            problem = _judge(reply, cases[passed], expected[passed], namespace.get("accept"))
            if problem is not None:
                return verdict.with_counts(problem, passed, len(cases))
            passed += 1
    except CandidateFault as fault:
        return verdict.with_counts(_at_case(fault, cases, expected, passed), passed, len(cases))
    return verdict.with_counts({"outcome": "passed"}, passed, len(cases))


def _at_case(fault: CandidateFault, cases: list[Any], expected: list[Any], index: int) -> dict[str, Any]:
    found = verdict.of_fault(fault)
    if found["outcome"] == "timeout" and index < len(cases):
        found["failure"] = verdict.failure(cases[index], expected[index], Raised(["no answer in time", "", ""]))
    return found


def _judge(reply: Reply, case: Any, expected: Any, accept: Callable[..., Any] | None) -> dict[str, Any] | None:
    """None when the reply is right, else the verdict."""
    if isinstance(reply, Raised):
        return {**verdict.of_error(reply.error), "failure": verdict.failure(case, expected, reply)}
    if isinstance(reply, Large):  # no answer to a problem of ours comes near
        return {"outcome": "error", "detail": "output_too_large", "message": f"a {reply.kind} of {reply.length} items"}
    output = normal(reply.value)
    if _is_right(output, case, expected, accept):
        return None
    return {**verdict.of_wrong(), "failure": verdict.failure(case, expected, output)}


def _is_right(output: Any, case: Any, expected: Any, accept: Callable[..., Any] | None) -> bool:
    """`accept` and comparisons may raise on a hostile or merely odd output; then it is not right."""
    try:
        if accept is not None:
            return bool(accept(copy.deepcopy(tuple(case)), copy.deepcopy(output), copy.deepcopy(expected)))
        return same(expected, output)
    except Exception:
        return False
