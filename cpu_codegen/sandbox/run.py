"""One job: fork checker and candidate, wait for the verdict, read the meters, kill both, book the outcome.

The checker decides; this module sees what the checker cannot: how a process ended, its CPU time and its memory.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import HarnessError
from cpu_codegen.sandbox import meters
from cpu_codegen.sandbox.crew import Crew
from cpu_codegen.sandbox.endings import CLOSED_CHANNEL, ending_of
from cpu_codegen.sandbox.forkserver import Child, End, ForkServer
from cpu_codegen.sandbox.frames import BadFrame, Channel, ChannelClosed, ChannelTimeout
from cpu_codegen.schema import Execution, Failure, Job, Outcome

PREPARE_TIMEOUT_S = 120.0
# What decoding and comparing may take beside the candidate's own wall limit. A test of asserts looks at few values.
CHECKER_SLACK_S = {"assert": 1.5, "problem_file": 5.0, "evalplus": 10.0}
_MAX_LARGE_OUTPUTS = 64
_CHECKER = -1  # beside the numbers of the candidates
_LATE_S = 0.1
_CHECKER_PATIENCE_S = 5.0  # in all; a checker that has a costly comparison to make is no better off for a busy machine
_DEATH_WAIT_S = 0.2


class ReferenceNeeded(Exception):
    """The checker can judge this job only with the reference's own processes beside the candidate's."""


@dataclass(slots=True)
class _Watched:
    """What was seen of the candidates before they were killed."""

    peak_rss_bytes: int | None = None
    ended_by_itself: bool = False


@dataclass(frozen=True, slots=True)
class _Seen:
    """A candidate's clocks at one moment: for how long its main thread had no core, CPU time of all threads, wall time."""

    starved_s: float
    cpu_s: float
    at_s: float


class JobRun:
    """A job in flight. `abort` may be called from another thread."""

    def __init__(self, server: ForkServer, job: Job, payload: bytes, *, candidates: int = 1) -> None:
        self.server = server
        self.job = job
        self.payload = payload
        self.candidates = candidates
        self.children: list[Child] = []
        self.is_aborted = False
        self.peaks: dict[int, int | None] = {}  # by candidate, of those that are asked no more
        self.retired: set[int] = set()  # those that we killed
        self.seen: dict[int, _Seen] = {}  # by candidate (or _CHECKER), when last asked
        self.calls = 0  # that the checker made, where it counts them
        self.began_s = 0.0

    def abort(self) -> None:
        """Ends the job at once; its `run` then raises HarnessError."""
        self.is_aborted = True
        self._kill_all()

    def _kill_all(self) -> None:
        for child in list(self.children):
            child.kill()

    def run(self) -> Execution:
        """The job's outcome. Raises HarnessError when our own machinery failed."""
        started = time.perf_counter()
        crew = self._begin()
        try:
            verdict = self._verdict(crew.channel)
            self.calls = int(verdict.get("calls", 0))
            watched = self._watch(verdict)
        finally:
            ends = self._end(crew)
        return self._execution(verdict, watched, ends[1:], time.perf_counter() - started)

    def ask(self) -> dict[str, Any]:
        """The checker's answer as it is, for jobs that are no judgement. Raises HarnessError."""
        crew = self._begin()
        try:
            return self._verdict(crew.channel)
        finally:
            self._end(crew)

    def _begin(self) -> Crew:
        self.began_s = time.monotonic()
        crew = Crew(self.server, self.job.limits, candidates=self.candidates)
        self.children = crew.children
        if self.is_aborted:  # meanwhile, by another thread, which saw no children yet
            self._kill_all()
        return crew

    def _end(self, crew: Crew) -> list[End]:
        try:
            return crew.end()
        finally:
            self.children = []

    def _verdict(self, parent: Channel) -> dict[str, Any]:
        """A hang before "prepared" is the reference's, one after it the candidate's."""
        limits = self.job.limits
        try:
            parent.send_bytes(self.payload, time.monotonic() + PREPARE_TIMEOUT_S)
            message = parent.receive(time.monotonic() + PREPARE_TIMEOUT_S)
            if message[0] == "prepared":
                wall_s = message[1] if len(message) == 2 else limits.wall_s * self.candidates
                try:
                    message = self._after_news(parent, wall_s + CHECKER_SLACK_S[self.job.task.kind])
                except ChannelTimeout:
                    return {"outcome": "timeout", "message": "no verdict in time: the output is too costly to compare"}
            kind, verdict = message
        except ChannelTimeout as error:
            raise HarnessError("the checker did not prepare in time") from error
        except (ChannelClosed, BadFrame, ValueError, TypeError, LookupError) as error:
            raise HarnessError(f"the checker failed: {error!r}") from error
        if kind != "verdict" or not isinstance(verdict, dict):
            raise HarnessError("the checker sent no verdict")
        if verdict["outcome"] == "need_reference":
            raise ReferenceNeeded
        if verdict["outcome"] == "harness_error":
            raise HarnessError(f"{verdict.get('detail')}: {verdict.get('message')}")
        return verdict

    def _after_news(self, parent: Channel, budget_s: float) -> Any:
        """The checker's next message that is no news. "busy" allows for the comparison of one large output."""
        deadline, patience_s = time.monotonic() + budget_s, _CHECKER_PATIENCE_S
        large = 0
        while True:
            try:
                message = parent.receive(deadline)
            except ChannelTimeout:
                more_s = min(patience_s, self._newly_starved_s(_CHECKER))
                if more_s < _LATE_S:
                    raise
                deadline += more_s
                patience_s -= more_s
                continue
            if message[0] == "busy":
                large += 1
                deadline += 2 * message[1] if large <= _MAX_LARGE_OUTPUTS else 0.0
            elif message[0] == "late":
                more_s = self._newly_starved_s(message[1])
                deadline += more_s
                parent.send(more_s, deadline)
            elif message[0] == "finished":
                self._retire(*message[1:])
            else:
                return message

    def _newly_starved_s(self, index: int) -> float:
        """Seconds that a candidate, or the checker, was ready and had no core, since the last time that this was asked.

        Threads of its own that keep it from the core are its own affair: what they used is taken off.
        """
        before = self.seen.get(index, _Seen(0.0, 0.0, self.began_s))
        now = self.seen[index] = _seen(self.children[index + 1].host_pid)
        unused_s = (now.at_s - before.at_s) - (now.cpu_s - before.cpu_s)
        return max(0.0, min(now.starved_s - before.starved_s, unused_s))

    def _retire(self, index: int, is_gone: bool) -> None:
        """A candidate that is asked no more is killed, so that it neither works nor holds memory beside the next one."""
        child = self.children[1:][index]
        self.peaks[index] = meters.peak_rss_bytes(child.host_pid)
        if not child.has_ended(_DEATH_WAIT_S if is_gone else 0.0):
            child.kill()
            self.retired.add(index)

    def _watch(self, verdict: dict[str, Any]) -> _Watched:
        """Memory is read while the candidates still live; zombies have none."""
        candidates = self.children[1:]
        peaks = [self.peaks.get(i) or meters.peak_rss_bytes(child.host_pid) for i, child in enumerate(candidates)]
        known = [peak for peak in peaks if peak is not None]
        index = verdict.get("candidate", 0)
        is_gone = verdict["outcome"] == "gone" and index not in self.retired
        return _Watched(
            peak_rss_bytes=max(known) if known else None,
            ended_by_itself=is_gone and candidates[index].has_ended(_DEATH_WAIT_S),
        )

    def _execution(self, verdict: dict[str, Any], watched: _Watched, ends: list[End], wall_s: float) -> Execution:
        if verdict["outcome"] == "gone":
            verdict = {**verdict, **self._how_it_ended(watched, ends[verdict.get("candidate", 0)])}
        peak = watched.peak_rss_bytes
        if peak is None and ends:
            peak = max(end.max_rss_bytes for end in ends)
        shown = verdict.get("failure")
        return Execution(
            job_id=self.job.id,
            outcome=Outcome(verdict["outcome"]),
            detail=str(verdict.get("detail", "")),
            message=str(verdict.get("message", "")),
            tests_total=int(verdict.get("tests_total", 0)),
            tests_passed=int(verdict.get("tests_passed", 0)),
            base_status=verdict.get("base_status"),
            plus_status=verdict.get("plus_status"),
            failure=Failure(*shown) if shown else None,
            cpu_s=sum(end.cpu_s for end in ends),
            wall_s=wall_s,
            peak_rss_bytes=peak,
        )

    def _how_it_ended(self, watched: _Watched, end: End) -> dict[str, str]:
        """Names the end of a candidate that went away by itself."""
        return ending_of(end, self.job.limits.cpu_s) if watched.ended_by_itself else CLOSED_CHANNEL


def _seen(pid: int) -> _Seen:
    try:
        cpu_s = meters.cpu_ns(pid) / 1e9
    except OSError:  # it has ended
        cpu_s = 0.0
    return _Seen(meters.starved_s(pid), cpu_s, time.monotonic())


def run_with_retry(make: Any) -> Execution:
    """`make()` gives a fresh JobRun; a failure of ours is retried once, then loud."""
    with contextlib.suppress(HarnessError):
        return make().run()  # type: ignore[no-any-return]
    run = make()
    try:
        return run.run()  # type: ignore[no-any-return]
    except HarnessError as error:
        return Execution(run.job.id, Outcome.HARNESS_ERROR, detail="twice", message=str(error))
