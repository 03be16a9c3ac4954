"""Second column: every generation without a current verdict → extraction, isolated execution, one record of results.jsonl.

A result's key = the code's digest + the problem's hash + the judge's hash; an edited problem or another comparator is judged anew,
a generation is never thrown away for it.
"""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from cpu_codegen.columns.in_time import PAGE_S
from cpu_codegen.config import Settings
from cpu_codegen.extraction.generation import extract_generation
from cpu_codegen.inputs import RunInputs
from cpu_codegen.judge import JUDGE_VERSION
from cpu_codegen.judging.begin_order import BeginOrder
from cpu_codegen.judging.limits import limits_for
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.sandbox.values import CODEC_VERSION
from cpu_codegen.schema import Execution, Extraction, FinishReason, Job, Outcome, Problem
from cpu_codegen.session import Session
from cpu_codegen.store import digest, plain

ENGINE_FAILED = "engine_error"
"""The detail of an answer at which the engine crashed twice: there is nothing to judge, however often."""


def judge_hash(settings: Settings, versions: dict[str, str]) -> str:
    """What decides a verdict besides the code and the problem: judge, extraction, comparator, limits, codec, Python, packages.

    The first codec is left out, so that the keys of older folders stay.
    """
    python = ".".join(platform.python_version_tuple()[:2])
    return digest(
        "judge",
        JUDGE_VERSION,
        settings.comparator,
        plain(settings.limits),
        settings.extract,
        python,
        versions.get("numpy"),
        *([CODEC_VERSION] if CODEC_VERSION > 1 else []),
    )


def execute(session: Session, inputs: RunInputs, progress: Progress) -> Iterator[dict[str, Any]]:
    """Records for all generations whose verdict is missing or outdated."""
    problems = {problem.id: problem for problem in inputs.problems}
    judge = judge_hash(session.config.settings, session.manifest["versions"])
    judged = {r["generation"]: _judged_by(r) for r in session.folder.read("results")}
    wanted = [g for g in session.folder.read("generations") if g["problem_id"] in problems]
    left = [g for g in wanted if judged.get(g["key"]) != (judge, problems[g["problem_id"]].data_hash)]
    progress.begin("execute", len(wanted), len(wanted) - len(left))
    if not left:
        progress.end("nothing to do")
        return
    until = session.deadline.less(PAGE_S) if session.deadline is not None else None
    if until is not None and until.left_s() <= 0:
        progress.end("no time left before the deadline")
        return
    workers = session.config.workers or default_workers()
    with open_sandbox(workers=workers, allow_weak=session.config.allow_weak_isolation) as sandbox:
        session.note_run(isolation=plain(sandbox.isolation))
        tally: Counter[str] = Counter()
        column = _Column(session, sandbox, problems, judge)
        for record in column.records(left, left_s=until.left_s if until is not None else None):
            tally[record["outcome"]] += 1
            progress.advance(tally_note(tally))
            yield record
        progress.end(
            f"{tally_note(tally)}   isolation: {' + '.join(sandbox.isolation.layers)} (tier {sandbox.isolation.tier})"
        )


def _judged_by(result: dict[str, Any]) -> tuple[str, str] | None:
    """What a line is the verdict of; None where our own machinery failed, so that the same command tries once more."""
    if result.get("outcome") == Outcome.HARNESS_ERROR and result.get("detail") != ENGINE_FAILED:
        return None
    return result["judge_hash"], result["data_hash"]


def tally_note(tally: Counter[str]) -> str:
    """`12 passed  3 wrong  1 error`: passes first, which is what people look for, then the commonest."""
    others = [(outcome, count) for outcome, count in tally.most_common() if outcome != Outcome.PASSED]
    return "  ".join(f"{count} {outcome}" for outcome, count in [(Outcome.PASSED, tally[Outcome.PASSED]), *others])


def default_workers() -> int:
    """The cores that this process may use."""
    from cpu_codegen.machine import usable_cores

    return usable_cores()


class _Column:
    """The facts that all records of this column share."""

    def __init__(self, session: Session, sandbox: Sandbox, problems: dict[str, Problem], judge: str) -> None:
        self.settings = session.config.settings
        self.sandbox = sandbox
        self.problems = problems
        self.judge_hash = judge
        self.generations: dict[str, dict[str, Any]] = {}
        self.extractions: dict[str, Extraction] = {}
        self.opened_s = time.monotonic()
        self.began_s: dict[str, float] = {}

    def records(
        self, generations: list[dict[str, Any]], *, left_s: Callable[[], float] | None
    ) -> Iterator[dict[str, Any]]:
        """Extracts lazily, as workers ask for the next job; samples without code get their record at the end.

        What still runs when no time is left is ended and has no record: a verdict under a shorter limit would be another one.
        """
        undecided: list[Execution] = []
        for execution in self.sandbox.judge(self._jobs(generations, undecided), left_s=left_s):
            yield self._record(execution)
        for execution in undecided:
            yield self._record(execution)

    def _jobs(self, generations: list[dict[str, Any]], undecided: list[Execution]) -> Iterator[Job]:
        order = BeginOrder()
        for generation in sorted(generations, key=lambda generation: order.rank(generation["problem_id"])):
            key, problem = generation["key"], self.problems[generation["problem_id"]]
            self.generations[key] = generation
            self.began_s[key] = time.monotonic() - self.opened_s
            extraction = extract_generation(generation, problem, self.settings.extract, outline=self.sandbox.parse)
            self.extractions[key] = extraction
            early = without_execution(generation, extraction)
            if early is not None:
                undecided.append(early)
                continue
            yield Job(
                id=key,
                code=extraction.code,
                entry_point=problem.entry_point,
                task=problem.task,
                limits=limits_for(problem.task, self.settings.limits),
                comparator=self.settings.comparator,
            )

    def _record(self, execution: Execution) -> dict[str, Any]:
        """One line of results.jsonl."""
        key = execution.job_id
        generation, extraction = self.generations[key], self.extractions[key]
        problem = self.problems[generation["problem_id"]]
        return {
            "key": digest(extraction.code, problem.data_hash, self.judge_hash),
            "generation": key,
            **{name: generation[name] for name in ("problem_id", "suite", "level", "style", "index")},
            **{name: value for name, value in plain(execution).items() if name != "job_id"},
            "code": extraction.code,
            "format_ok": extraction.format_ok,
            "extraction": {"mode": extraction.mode, "how": extraction.how, "notes": list(extraction.notes)},
            "data_hash": problem.data_hash,
            "judge_hash": self.judge_hash,
            "isolation_tier": self.sandbox.isolation.tier,
            "isolation_layers": list(self.sandbox.isolation.layers),
            "python": platform.python_version(),
            "start_offset_s": round(self.began_s[key], 3),
        }


def without_execution(generation: dict[str, Any], extraction: Extraction) -> Execution | None:
    """The outcome of a sample that has nothing to run, else None."""
    key, reason = generation["key"], generation["finish_reason"]
    if reason == FinishReason.ENGINE_ERROR:
        return Execution(key, Outcome.HARNESS_ERROR, detail=ENGINE_FAILED, message=generation.get("error", ""))
    if reason == FinishReason.PROMPT_TOO_LONG:
        return Execution(key, Outcome.NO_CODE, detail="prompt_too_long")
    if not extraction.code.strip():
        return Execution(key, Outcome.NO_CODE)
    return None
