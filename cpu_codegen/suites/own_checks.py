"""Runs the references of a suite of one's own in the sandbox before anything is asked of a model: hours later is too late to learn
that a reference does not answer its own cases.

What is found broken is told with file, line and what is expected. Not covered: the promises of docs/problems.md beyond that
(problem_checks.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from cpu_codegen.errors import UsageError
from cpu_codegen.judging.limits import limits_for
from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox, open_sandbox
from cpu_codegen.schema import AssertTask, EvalPlusTask, Job, Limits, Outcome, Problem, ProblemFileTask

LOOK_S = 10.0
"""How long one question to a problem file may take."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a problem cannot be judged by. `line` is of a problem file, 0 = unknown."""

    what: str
    expected: str
    line: int = 0


_KNOWN: dict[tuple[str, str], Fault | None] = {}  # by id and data: several models of one command ask once


def without_broken(
    problems: Sequence[Problem], left_out: list[UsageError] | None, *, allow_weak: bool = False
) -> list[Problem]:
    """The problems that can be judged by. The first broken one raises UsageError, or all of them go into `left_out`."""
    sound: list[Problem] = []
    for problem, fault in faults(problems, allow_weak=allow_weak):
        if fault is None:
            sound.append(problem)
            continue
        error = UsageError(f"{_place(problem, fault)}: {fault.what}", remedy=f"expected: {fault.expected}")
        if left_out is None:
            raise error
        left_out.append(error)
    if not sound:
        first = left_out[0] if left_out else None
        raise UsageError(f"no problem is left; the first: {first}", remedy=first.remedy if first else None)
    return sound


def _place(problem: Problem, fault: Fault) -> str:
    is_file = isinstance(problem.task, ProblemFileTask)
    return f"{problem.origin}:{fault.line or 1}" if is_file else problem.origin


def faults(problems: Sequence[Problem], *, allow_weak: bool = False) -> Iterator[tuple[Problem, Fault | None]]:
    """Each problem with what is wrong with it, in order; the sandbox is opened only for what this process has not looked at."""
    if all((problem.id, problem.data_hash) in _KNOWN for problem in problems):
        yield from ((problem, _KNOWN[problem.id, problem.data_hash]) for problem in problems)
        return
    with open_sandbox(allow_weak=allow_weak) as sandbox:
        for problem in problems:
            key = problem.id, problem.data_hash
            if key not in _KNOWN:
                _KNOWN[key] = fault_of(problem, sandbox)
            yield problem, _KNOWN[key]


def fault_of(problem: Problem, sandbox: Sandbox) -> Fault | None:
    """What keeps this problem from being judged by, None = nothing."""
    task = problem.task
    if isinstance(task, ProblemFileTask):
        return _fault_of_file(problem, task.source, sandbox)
    if task.canonical:
        return _fault_of_reference(problem, task.canonical, sandbox)
    return _fault_of_test(problem, sandbox)


def _fault_of_file(problem: Problem, source: str, sandbox: Sandbox) -> Fault | None:
    with sandbox.probe(source, problem.entry_point, timeout_s=LOOK_S) as probe:
        facts = probe.facts()
        if facts.error:
            return Fault(f"does not load: {facts.error}", "a file that runs by itself, at once", facts.error_line)
        if not facts.case_count:
            return Fault("no CASES", "CASES = [(argument, …), …], one tuple a case")
        fault = _fault_of_cases(probe, facts.case_count)
    return fault or _fault_of_reference(problem, source, sandbox)


def _fault_of_cases(probe: ProblemProbe, count: int) -> Fault | None:
    for index in range(count):
        try:
            probe.output("reference", probe.case(index))
        except ProbeFailed as error:
            return Fault(f"case {index}: {error}", "CASES of argument tuples that the reference answers", error.line)
    return None


def _fault_of_reference(problem: Problem, code: str, sandbox: Sandbox) -> Fault | None:
    """The reference, judged as an answer."""
    (execution,) = sandbox.judge([_job(problem, code)])
    if execution.outcome is Outcome.PASSED:
        return None
    said = ", ".join(
        part for part in (execution.detail, execution.message) if part and part not in ("twice", "expected")
    )
    outcome = (
        "cannot be judged"
        if execution.outcome is Outcome.HARNESS_ERROR
        else f"fails its own tests: {execution.outcome}"
    )
    expected = "a reference that gives the same answers twice and passes its own cases"
    if not isinstance(problem.task, ProblemFileTask):
        expected = '"prompt" + "canonical_solution": a program that passes the task\'s own tests'
    return Fault(f"the reference {outcome}" + (f" ({said})" if said else ""), expected)


def _fault_of_test(problem: Problem, sandbox: Sandbox) -> Fault | None:
    """No reference is given: at least the test must run, and an answer that does nothing must not pass it."""
    (execution,) = sandbox.judge([_job(problem, f"def {problem.entry_point}(*_, **__):\n    return None\n")])
    if execution.outcome is Outcome.HARNESS_ERROR:
        return Fault(f"the test does not run: {execution.message}", "def check(candidate) with asserts, or asserts")
    if execution.outcome is Outcome.PASSED:
        return Fault("a function that returns None passes the test", "asserts that tell right from wrong")
    return None


def _job(problem: Problem, code: str) -> Job:
    limits = limits_for(problem.task, Limits()) if isinstance(problem.task, AssertTask | EvalPlusTask) else Limits()
    return Job("reference", code, problem.entry_point, problem.task, limits=limits)
