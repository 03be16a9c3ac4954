"""Runs the references of a suite of one's own in the sandbox before anything is asked of a model: hours later is too late to learn
that a reference does not answer its own cases.

What is found broken is told with file, line and what is expected. Not covered: the promises of docs/problems.md beyond that
(problem_checks.py).
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from importlib.metadata import version

from cpu_codegen.errors import UsageError
from cpu_codegen.judge import JUDGE_VERSION
from cpu_codegen.judging.limits import limits_for
from cpu_codegen.judging.prepared import PREPARED_VERSION
from cpu_codegen.places import cache_dir
from cpu_codegen.progress import Progress, Silent
from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox, open_sandbox
from cpu_codegen.sandbox.values import CODEC_VERSION
from cpu_codegen.schema import AssertTask, EvalPlusTask, Job, Limits, Outcome, Problem, ProblemFileTask
from cpu_codegen.store import digest

LOOK_S = 10.0
"""How long one question to a problem file may take."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a problem cannot be judged by. `line` is of a problem file, 0 = unknown."""

    what: str
    expected: str
    line: int = 0


def without_broken(
    problems: Sequence[Problem],
    left_out: list[UsageError] | None,
    *,
    allow_weak: bool = False,
    progress: Progress | None = None,
) -> list[Problem]:
    """The problems that can be judged by. The first broken one raises UsageError, or all of them go into `left_out`."""
    sound: list[Problem] = []
    looked_at = faults(problems, allow_weak=allow_weak, progress=progress or Silent())
    with contextlib.closing(looked_at):  # an error ends the sandbox at once, not when its traceback is forgotten
        for problem, fault in looked_at:
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


def faults(
    problems: Sequence[Problem], *, allow_weak: bool, progress: Progress
) -> Generator[tuple[Problem, Fault | None], None, None]:
    """Each problem with what is wrong with it, in order. What was found sound once is not tried again while it stays the same."""
    known = _Sound()
    if all(problem in known for problem in problems):
        yield from ((problem, None) for problem in problems)
        return
    progress.begin("tasks", len(problems))
    with open_sandbox(allow_weak=allow_weak) as sandbox:
        for problem in problems:
            fault = None if problem in known else fault_of(problem, sandbox)
            if fault is None:
                known.add(problem)
            progress.advance()
            yield problem, fault
    progress.end("their references answer their own tests")


class _Sound:
    """Tasks whose references were seen to pass, by all that decides it; kept in the user's cache, one digest a line."""

    def __init__(self) -> None:
        versions = (JUDGE_VERSION, PREPARED_VERSION, CODEC_VERSION, platform.python_version(), version("numpy"))
        self._path = cache_dir() / "sound-tasks" / f"{digest(*versions)[:32]}.txt"
        try:
            self._known = set(self._path.read_text(encoding="ascii").split())
        except (OSError, ValueError):
            self._known = set()

    def __contains__(self, problem: Problem) -> bool:
        return self._name(problem) in self._known

    def add(self, problem: Problem) -> None:
        """One more; a cache that cannot be written costs time, nothing else."""
        name = self._name(problem)
        if name in self._known:
            return
        self._known.add(name)
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="ascii", newline="\n") as file:
                file.write(f"{name}\n")

    @staticmethod
    def _name(problem: Problem) -> str:
        rules = getattr(problem.task, "suite", "")
        return digest(problem.entry_point, problem.task.kind, rules, problem.data_hash)


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
