"""`problems validate`: proves of each problem file what docs/problems.md promises.

Everything of a problem file runs in the sandbox; work is counted in executed lines, never in seconds. Not covered: whether a person
can solve it from the statement (fresh eyes did that; see docs/problems.md).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.counts import count_of
from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox
from cpu_codegen.sandbox.probe import Facts
from cpu_codegen.schema import AssertTask, Job, Limits, Outcome, Problem, ProblemFileTask
from cpu_codegen.suites.own_checks import fault_of

MIN_CASES = 12
MIN_WRONG = 3
NAIVE_COMPARISONS = 200
NAIVE_MAX_SIZE = 60
MIN_WORK_RATIO = 1.2
MAX_CASE_BYTES = 2000
MAX_SCALED_BYTES = 1_000_000
GROWTH_WORDS = ("1", "log n", "n", "n log n", "n sqrt n", "n^2", "n^2 log n", "n^3", "2^n")
_QUESTION_S = 30.0
_LIMITS = Limits(wall_s=30.0, call_s=10.0)


@dataclass(frozen=True, slots=True)
class Check:
    """One promise about one problem: kept, broken, or not checked (`ok` None), and why."""

    problem_id: str
    name: str
    ok: bool | None
    detail: str = ""


Finding = tuple[bool | None, str]


def validate(problems: Sequence[Problem], sandbox: Sandbox, *, wrong_dir: Path | None) -> Iterator[Check]:
    """All checks of all problems, problem by problem. `wrong_dir` holds `<slug>/*.py`, programs that must fail."""
    for problem in problems:
        if not isinstance(problem.task, ProblemFileTask):
            yield from _checks_of_line(problem, sandbox)
            continue
        with _Validation(problem, sandbox, wrong_dir) as validation:
            yield from validation.checks()


def _checks_of_line(problem: Problem, sandbox: Sandbox) -> Iterator[Check]:
    """What can be promised of a JSON line: its tests run, its reference passes them, an answer that does nothing does not."""
    task = problem.task
    fault = fault_of(problem, sandbox)
    has_reference = not isinstance(task, AssertTask) or bool(task.canonical)
    yield Check(problem.id, "tests run", fault is None, f"{fault.what}; expected: {fault.expected}" if fault else "")
    passes = (fault is None) if has_reference else None
    yield Check(problem.id, "reference passes", passes, "" if has_reference else "no canonical_solution")
    nothing = f"def {problem.entry_point}(*_, **__):\n    return None\n"
    (execution,) = sandbox.judge([Job("nothing", nothing, problem.entry_point, task, limits=_LIMITS)])
    yield Check(problem.id, "wrong answers fail", execution.outcome is not Outcome.PASSED, "an answer of None")


class _Validation:
    """One problem, its file loaded in the sandbox."""

    def __init__(self, problem: Problem, sandbox: Sandbox, wrong_dir: Path | None) -> None:
        assert isinstance(problem.task, ProblemFileTask)
        self.problem = problem
        self.source = problem.task.source
        self.sandbox = sandbox
        self.wrong_dir = wrong_dir
        self.probe: ProblemProbe = sandbox.probe(self.source, problem.entry_point, timeout_s=_QUESTION_S)
        self.facts: Facts = self.probe.facts()

    def __enter__(self) -> _Validation:
        return self

    def __exit__(self, *_: object) -> None:
        self.probe.close()

    def checks(self) -> Iterator[Check]:
        """Every promise in turn; a question that the file answers with an exception is a broken promise."""
        if self.facts.error:
            yield Check(self.problem.id, "loads", False, self.facts.error)
            return
        checks: dict[str, Callable[[], Finding]] = {
            "cases": self._cases,
            "arguments": self._arguments,
            "doctests": self._doctests,
            "reference passes": self._reference_passes,
            "naive agrees": self._naive_agrees,
            "work grows": self._work_grows,
            "growth stated": self._growth_stated,
            "statement stands alone": self._statement_stands_alone,
            "wrong answers fail": self._wrong_answers_fail,
        }
        for name, check in checks.items():
            try:
                ok, detail = check()
            except ProbeFailed as error:
                ok, detail = False, str(error)
            yield Check(self.problem.id, name, ok, detail)

    def _cases(self) -> Finding:
        return self.facts.case_count >= MIN_CASES, count_of(self.facts.case_count, "case")

    def _arguments(self) -> Finding:
        """Arguments are plain and small, and `scaled` gives the same for equal (n, seed)."""
        for index in range(self.facts.case_count):
            problem = self._argument_problem(self.probe.case(index), MAX_CASE_BYTES)
            if problem:
                return False, f"case {index}: {problem}"
        for size in self.facts.sizes:
            args = self.probe.scaled(size)
            problem = self._argument_problem(args, MAX_SCALED_BYTES)
            if problem:
                return False, f"scaled({size}): {problem}"
            if args != self.probe.scaled(size):
                return False, f"scaled({size}) differs from call to call"
        return True, "plain types, small enough"

    def _argument_problem(self, args: object, limit_bytes: int) -> str:
        foreign = self.probe.foreign_types(args)
        if foreign:
            return f"an argument holds {', '.join(foreign)}"
        size = len(json.dumps(args, separators=(",", ":")))
        return f"{size} bytes, over {limit_bytes}" if size > limit_bytes else ""

    def _doctests(self) -> Finding:
        count, failures = self.facts.doctest_count, self.facts.doctest_failures
        detail = self.facts.doctest_message.strip() if failures else count_of(count, "example")
        return failures == 0 and count > 0, detail

    def _reference_passes(self) -> Finding:
        """The whole file, taken as an answer, passes its own cases."""
        (execution,) = self.sandbox.judge([self._job("reference", self.source)])
        return execution.outcome is Outcome.PASSED, f"{execution.outcome} {execution.message}".strip()

    def _job(self, name: str, code: str) -> Job:
        return Job(name, code, self.problem.entry_point, self.problem.task, limits=_LIMITS)

    def _naive_agrees(self) -> Finding:
        if not self.facts.has_naive:
            return None, "no naive"
        differing = self.probe.naive_disagreement(count=NAIVE_COMPARISONS, max_size=NAIVE_MAX_SIZE)
        return differing is None, differing or f"{NAIVE_COMPARISONS} random scaled inputs"

    def _work_grows(self) -> Finding:
        sizes = self.facts.sizes
        if len(sizes) != 3 or not sizes[0] < sizes[1] < sizes[2]:
            return False, f"SIZES is {sizes}, not (small, middle, large)"
        small, middle = (self.probe.count_lines("reference", size) for size in sizes[:2])
        grows = middle >= MIN_WORK_RATIO * max(small, 1)
        return grows, f"{small} to {middle} executed lines" + ("" if grows else "; work inside built-ins is not seen")

    def _growth_stated(self) -> Finding:
        growth = dict(self.facts.growth)
        wanted = {"reference", "naive"} if self.facts.has_naive else {"reference"}
        unknown = sorted(set(growth.values()) - set(GROWTH_WORDS))
        if unknown:
            return False, f"not a growth: {', '.join(unknown)}"
        detail = ", ".join(f"{name} {word}" for name, word in growth.items())
        return set(growth) == wanted, detail or "no GROWTH"

    def _statement_stands_alone(self) -> Finding:
        """The statement with a stub body is a program that defines the entry point."""
        outline = self.sandbox.parse(self.problem.statement.rstrip("\n") + "\n    pass\n")
        defined = any(self.problem.entry_point in item.defines for item in outline.items)
        return defined and not outline.error, outline.error

    def _wrong_answers_fail(self) -> Finding:
        wrong = self._wrong_answers()
        if not wrong:
            return None, "not checked: none at hand"
        jobs = [self._job(name, code) for name, code in wrong.items()]
        outcomes = {execution.job_id: execution.outcome for execution in self.sandbox.judge(jobs)}
        survivors = [name for name, outcome in outcomes.items() if outcome in (Outcome.PASSED, Outcome.HARNESS_ERROR)]
        if survivors:
            return False, f"not caught: {', '.join(sorted(survivors))}"
        return len(wrong) >= MIN_WRONG, f"{len(wrong)} fail" + ("" if len(wrong) >= MIN_WRONG else f", not {MIN_WRONG}")

    def _wrong_answers(self) -> dict[str, str]:
        """Name → program, from the folder of ours or the file's own WRONG."""
        if self.wrong_dir is not None:
            files = sorted((self.wrong_dir / self.problem.entry_point).glob("*.py"))
            if files:
                return {path.stem: path.read_text(encoding="utf-8") for path in files}
        return {f"WRONG[{index}]": source for index, source in enumerate(self.facts.wrong)}
