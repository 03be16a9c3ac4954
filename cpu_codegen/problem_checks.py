"""`problems validate`: proves of each problem file what docs/problems.md promises.

Everything of a problem file runs in the sandbox; work is counted in executed lines, never in seconds. Not covered: whether a person
can solve it from the statement (fresh eyes did that; see docs/problems.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.sandbox import ProblemProbe, Sandbox
from cpu_codegen.schema import Job, Limits, Outcome, Problem, ProblemFileTask

MIN_CASES = 12
MIN_WRONG = 3
NAIVE_COMPARISONS = 200
NAIVE_MAX_SIZE = 60
MIN_WORK_RATIO = 1.2


@dataclass(frozen=True, slots=True)
class Check:
    """One promise about one problem: kept, broken, or not checked (`ok` None), and why."""

    problem_id: str
    name: str
    ok: bool | None
    detail: str = ""


def validate(problems: Sequence[Problem], sandbox: Sandbox, *, wrong_dir: Path | None) -> Iterator[Check]:
    """All checks of all problems, problem by problem. `wrong_dir` holds `<slug>/*.py`, programs that must fail."""
    for problem in problems:
        assert isinstance(problem.task, ProblemFileTask)
        with sandbox.probe(problem.task.source, problem.entry_point) as probe:
            yield from _checks(problem, probe, sandbox, wrong_dir)


def _checks(problem: Problem, probe: ProblemProbe, sandbox: Sandbox, wrong_dir: Path | None) -> Iterator[Check]:
    facts = probe.facts()
    if facts.error:
        yield Check(problem.id, "loads", False, facts.error)
        return
    yield Check(problem.id, "cases", facts.case_count >= MIN_CASES, f"{facts.case_count} cases")
    yield Check(problem.id, "doctests", facts.doctest_failures == 0 and facts.doctest_count > 0, f"{facts.doctest_count} examples")
    yield _reference_passes(problem, sandbox)
    yield _naive_agrees(problem, probe, has_naive=facts.has_naive)
    yield _work_grows(problem, probe, facts.sizes)
    yield _statement_parses(problem, sandbox)
    yield from _wrong_answers_fail(problem, sandbox, wrong_dir)


def _job(problem: Problem, name: str, code: str) -> Job:
    return Job(id=name, code=code, entry_point=problem.entry_point, task=problem.task, limits=Limits(wall_s=30.0, call_s=10.0))


def _reference_passes(problem: Problem, sandbox: Sandbox) -> Check:
    """The whole file, taken as an answer, passes its own cases."""
    assert isinstance(problem.task, ProblemFileTask)
    (execution,) = sandbox.judge([_job(problem, "reference", problem.task.source)])
    return Check(problem.id, "reference passes", execution.outcome is Outcome.PASSED, f"{execution.outcome} {execution.message}".strip())


def _naive_agrees(problem: Problem, probe: ProblemProbe, *, has_naive: bool) -> Check:
    if not has_naive:
        return Check(problem.id, "naive agrees", None, "no naive")
    differing = probe.naive_disagreement(count=NAIVE_COMPARISONS, max_size=NAIVE_MAX_SIZE)
    return Check(problem.id, "naive agrees", differing is None, differing or f"{NAIVE_COMPARISONS} random scaled inputs")


def _work_grows(problem: Problem, probe: ProblemProbe, sizes: tuple[int, ...]) -> Check:
    small, middle = (probe.count_lines("reference", size) for size in sizes[:2])
    ratio = middle / max(small, 1)
    return Check(problem.id, "work grows", ratio >= MIN_WORK_RATIO, f"{small} to {middle} executed lines")


def _statement_parses(problem: Problem, sandbox: Sandbox) -> Check:
    """The statement with a stub body is a program that defines the entry point."""
    outline = sandbox.parse(problem.statement.rstrip("\n") + "\n    pass\n")
    defined = any(problem.entry_point in item.defines for item in outline.items)
    return Check(problem.id, "statement stands alone", defined and not outline.error, outline.error)


def _wrong_answers_fail(problem: Problem, sandbox: Sandbox, wrong_dir: Path | None) -> Iterator[Check]:
    files = sorted((wrong_dir / problem.entry_point).glob("*.py")) if wrong_dir else []
    if not files:
        yield Check(problem.id, "wrong answers", None, "not checked: none at hand")
        return
    jobs = [_job(problem, path.stem, path.read_text(encoding="utf-8")) for path in files]
    outcomes: dict[str, Any] = {e.job_id: e.outcome for e in sandbox.judge(jobs)}
    survivors = [name for name, outcome in outcomes.items() if outcome in (Outcome.PASSED, Outcome.HARNESS_ERROR)]
    enough = len(files) >= MIN_WRONG
    detail = f"{', '.join(survivors)} passed" if survivors else f"{len(files)} fail"
    yield Check(problem.id, "wrong answers fail", enough and not survivors, detail)
