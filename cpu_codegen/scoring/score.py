"""Submissions → one record each, in the order of the file, judged in the sandbox unless the verdict is known."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.judging.begin_order import BeginOrder
from cpu_codegen.judging.limits import limits_for
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import Comparator, Execution, Isolation, Job, Limits, Outcome
from cpu_codegen.scoring.samples import Submission
from cpu_codegen.scoring.verdicts import Verdicts, judge_key, sample_key
from cpu_codegen.store import plain

LOOK_AHEAD_BYTES = 32 << 20  # of samples that wait for longer ones to begin first: those of all usual files
_OVERHEAD_BYTES = 1 << 10

FIELDS = (
    "outcome",
    "base_status",
    "plus_status",
    "tests_passed",
    "tests_total",
    "cpu_s",
    "peak_rss_bytes",
    "detail",
    "message",
)


@dataclass(frozen=True, slots=True)
class Scoring:
    """How submissions are judged."""

    comparator: Comparator
    limits: Limits = field(default_factory=Limits)
    workers: int = 1
    allow_weak_isolation: bool = False


def score(
    submissions: Callable[[], Iterable[Submission]], scoring: Scoring, verdicts: Verdicts, progress: Progress
) -> Iterator[dict[str, Any]]:
    """One record per submission, in order. `submissions` is asked twice: all are checked before the first one runs."""
    keys = [sample_key(submission.code, submission.problem) for submission in submissions()]
    known = sum(key in verdicts for key in keys)
    progress.begin("score", len(keys))
    queue = _Queue(submissions, keys, scoring, verdicts)
    if known < len(keys):
        with open_sandbox(workers=scoring.workers, allow_weak=scoring.allow_weak_isolation) as sandbox:
            yield from queue.judged(sandbox, progress)
    yield from queue.settled(progress)
    progress.end(queue.note())


def score_kept(
    submissions: Callable[[], Iterable[Submission]],
    suite: str,
    scoring: Scoring,
    progress: Progress,
    *,
    fresh: bool = False,
) -> Iterator[dict[str, Any]]:
    """The same with the verdicts that this machine keeps for the suite, none of them when `fresh`; new ones are added."""
    with Verdicts(judge_key(suite, scoring.comparator, scoring.limits), fresh=fresh) as verdicts:
        yield from score(submissions, scoring, verdicts, progress)


class _Queue:
    """Records in the order of submission, each as soon as those before it are there."""

    def __init__(
        self,
        submissions: Callable[[], Iterable[Submission]],
        keys: list[str],
        scoring: Scoring,
        verdicts: Verdicts,
    ) -> None:
        self._submissions = iter(submissions())
        self._keys = keys
        self._scoring = scoring
        self._verdicts = verdicts
        self._drawn: dict[int, Submission] = {}  # by position; without their code once they were handed over
        self._faults: dict[str, dict[str, Any]] = {}
        self._asked: set[str] = set()
        self._next = 0
        self._tally: Counter[str] = Counter()

    def judged(self, sandbox: Sandbox, progress: Progress) -> Iterator[dict[str, Any]]:
        """Judges what is not known yet."""
        for execution in sandbox.judge(self._jobs()):
            self._keep(execution, sandbox.isolation)
            yield from self.settled(progress, drawn_only=True)

    def _draw(self) -> Submission | None:
        submission = next(self._submissions, None)
        if submission is None:
            return None
        place = self._next + len(self._drawn)
        if place >= len(self._keys) or sample_key(submission.code, submission.problem) != self._keys[place]:
            raise UsageError(
                "the samples changed while they were judged", remedy="the same command judges what changed"
            )
        self._drawn[place] = replace(submission, code=submission.code.strip()[:1])
        return submission

    def _jobs(self) -> Iterator[Job]:
        """Slow tasks first among those that are looked ahead at."""
        ahead: list[tuple[tuple[bool, float], int, Job]] = []
        order, held_bytes = BeginOrder(), 0
        for place, (problem_id, job) in enumerate(self._unknown()):
            heapq.heappush(ahead, (order.rank(problem_id), place, job))
            held_bytes += _size(job)
            while held_bytes > LOOK_AHEAD_BYTES:
                first = heapq.heappop(ahead)[2]
                held_bytes -= _size(first)
                yield first
        while ahead:
            yield heapq.heappop(ahead)[2]

    def _unknown(self) -> Iterator[tuple[str, Job]]:
        """What has to be judged, and of which problem; equal programs once."""
        while (submission := self._draw()) is not None:
            key, problem = self._keys[self._next + len(self._drawn) - 1], submission.problem
            if key in self._verdicts or key in self._asked:
                continue
            self._asked.add(key)
            job = Job(
                id=key,
                code=submission.code,
                entry_point=problem.entry_point,
                task=problem.task,
                limits=limits_for(problem.task, self._scoring.limits),
                comparator=self._scoring.comparator,
            )
            yield problem.id, job

    def _keep(self, execution: Execution, isolation: Isolation) -> None:
        shown = plain(replace(execution, message=execution.message[:500]))
        record = {**{name: shown[name] for name in FIELDS}, "isolation": isolation.tier}
        if execution.outcome is Outcome.HARNESS_ERROR:
            self._faults[execution.job_id] = record
        else:
            self._verdicts.add(execution.job_id, record)

    def settled(self, progress: Progress, *, drawn_only: bool = False) -> Iterator[dict[str, Any]]:
        """The records that are ready. At the end the submissions that were known need drawing too."""
        while self._next < len(self._keys):
            if not self._drawn and (drawn_only or self._draw() is None):
                return
            key = self._keys[self._next]
            if key not in self._faults and key not in self._verdicts:
                return
            submission = self._drawn.pop(self._next)
            record = self._faults.get(key) or self._verdicts.get(key)
            if not submission.code:
                record = {**record, "outcome": Outcome.NO_CODE.value}
            self._tally[record["outcome"]] += 1
            yield {"task_id": submission.problem.id, "index": submission.index, **record}
            self._next += 1
            progress.advance(self.note())

    def note(self) -> str:
        """How many of each outcome so far."""
        return "  ".join(f"{count} {outcome}" for outcome, count in self._tally.most_common())


def _size(job: Job) -> int:
    return len(job.code) + _OVERHEAD_BYTES
