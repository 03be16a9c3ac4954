"""Submissions → one record each, in the order of the file, judged in the sandbox unless the verdict is known."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.judging.limits import limits_for
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import Sandbox, open_sandbox
from cpu_codegen.schema import Comparator, EvalPlusTask, Execution, Isolation, Job, Limits, Outcome
from cpu_codegen.scoring.samples import Submission
from cpu_codegen.scoring.verdicts import Verdicts, judge_key, sample_key
from cpu_codegen.store import plain
from cpu_codegen.suites.evalplus import SLOW_TASKS

LOOK_AHEAD = 256  # samples

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
        """Long tasks first among some that are looked ahead at, so that none is left to one worker at the end."""
        ahead: list[tuple[float, int, Job]] = []
        for place, job in enumerate(self._unknown()):
            heapq.heappush(ahead, (-_rough_seconds(job), place, job))
            if len(ahead) > LOOK_AHEAD:
                yield heapq.heappop(ahead)[2]
        while ahead:
            yield heapq.heappop(ahead)[2]

    def _unknown(self) -> Iterator[Job]:
        """What has to be judged; equal programs once."""
        while (submission := self._draw()) is not None:
            key, problem = self._keys[self._next + len(self._drawn) - 1], submission.problem
            if key in self._verdicts or key in self._asked:
                continue
            self._asked.add(key)
            yield Job(
                id=key,
                code=submission.code,
                entry_point=problem.entry_point,
                task=problem.task,
                limits=limits_for(problem.task, self._scoring.limits),
                comparator=self._scoring.comparator,
            )

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


def _rough_seconds(job: Job) -> float:
    return SLOW_TASKS.get(job.task.task_id, 0.0) if isinstance(job.task, EvalPlusTask) else 0.0
