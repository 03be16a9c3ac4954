"""The sandbox as the rest of the program sees it: judge jobs, parse text, open a measuring session, probe a problem file.

One thread per worker, with fork servers of its own; jobs are drawn from the caller's iterator in the caller's own thread, so that
it may parse or read files meanwhile. Not covered: a worker (worker.py), how one job runs (run.py), which layers are on (tiers.py).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from cpu_codegen.sandbox import proof, tiers
from cpu_codegen.sandbox.call_counts import CallCounts
from cpu_codegen.sandbox.parser import Parser
from cpu_codegen.sandbox.probe import PROBE_TIMEOUT_S, ProblemProbe
from cpu_codegen.sandbox.redaction import redacted
from cpu_codegen.sandbox.servers import Servers
from cpu_codegen.sandbox.session import Mode, Session
from cpu_codegen.sandbox.worker import Worker
from cpu_codegen.schema import Execution, Isolation, Job, Limits, Outline

_AHEAD = 2  # jobs drawn per worker before results are waited for
_LOOK_EVERY_S = 0.5  # at the time that is left, where it is limited


def open_sandbox(
    *, workers: int = 1, allow_weak: bool = False, masked: Collection[str] = (), scratch_bytes: int = 0
) -> Sandbox:
    """A sandbox with `workers` fork servers, proven to run a trivial program. Raises MachineError where none is possible.

    `allow_weak` admits seccomp without Landlock; `masked` leaves layers out, for tests of the tiers. `scratch_bytes` gives programs
    a folder in memory of at most that size, their working folder, emptied after each job; by default nothing is writable.
    """
    plan = tiers.choose(allow_weak=allow_weak, masked=masked, scratch_bytes=scratch_bytes)
    sandbox = Sandbox(plan, workers=max(1, workers))
    try:
        sandbox.prove(allow_weak=allow_weak)
    except BaseException:
        sandbox.close()
        raise
    return sandbox


class Sandbox:
    """Workers that run untrusted programs. A context manager; `close` ends every process."""

    def __init__(self, plan: tiers.Plan, *, workers: int) -> None:
        self.plan = plan
        counts = CallCounts()
        self.workers = [Worker(plan, counts) for _ in range(workers)]
        self.properties: dict[str, str] = {}
        self._parser: Parser | None = None
        self._side = Servers(plan)  # of sessions and probes, apart from the workers'
        self._lock = threading.Lock()

    @property
    def isolation(self) -> Isolation:
        """The tier, the layers in force, and what they were proved to enforce."""
        return replace(self.plan.isolation(), properties=self.properties)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all processes; may be called twice."""
        for worker in self.workers:
            worker.close()
        if self._parser is not None:
            self._parser.close()
        with self._lock:
            self._side.close()

    def prove(self, *, allow_weak: bool = False) -> None:
        """Attacks the sandbox; MachineError when it does not work or does not hold."""
        with ThreadPoolExecutor(len(self.workers)) as pool:  # each takes 0.2 s to start
            servers = list(pool.map(lambda worker: worker.servers.plain, self.workers))
        self.plan = servers[0].plan
        for held in (self._side, *(worker.servers for worker in self.workers)):
            held.hold_to(self.plan)
        self.properties = proof.prove(self, servers[0])
        proof.require(self.properties, allow_weak=allow_weak)

    def judge(self, jobs: Iterable[Job], *, left_s: Callable[[], float] | None = None) -> Iterator[Execution]:
        """One Execution per Job, out of order. Closing the iterator early kills what is in flight, and so does `left_s`, the
        seconds that are left, when it reaches 0: what was in flight then has no Execution.
        """
        todo: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[Execution | BaseException] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=worker.work, args=(todo, done), daemon=True, name="sandbox")
            for worker in self.workers
        ]
        for thread in threads:
            thread.start()
        try:
            for execution in _exchange(iter(jobs), todo, done, ahead=_AHEAD * len(threads), left_s=left_s):
                yield redacted(execution, self.plan.tier)
        finally:
            self._stop(threads, todo)

    def _stop(self, threads: list[threading.Thread], todo: queue.SimpleQueue[Job | None]) -> None:
        for worker in self.workers:
            worker.stop()
        for _ in threads:
            todo.put(None)
        for thread in threads:
            thread.join()
        for worker in self.workers:
            worker.stopping = False

    def server_pids(self) -> set[int]:
        """Pids of the fork servers that run now."""
        return self._side.pids().union(*(worker.servers.pids() for worker in self.workers))

    def session(
        self,
        code: str,
        entry_point: str,
        *,
        limits: Limits | None = None,
        mode: Mode = "strict",
        core: int | None = None,
    ) -> Session:
        """A loaded program to be measured, pinned to `core` (the last usable one unless given). Raises SessionFailed."""
        with self._lock:
            server = self._side.for_code(code)
        return Session(server, code, entry_point, limits=limits or Limits(), mode=mode, core=core)

    def probe(self, source: str, entry_point: str, *, timeout_s: float = PROBE_TIMEOUT_S) -> ProblemProbe:
        """A problem file, loaded in the sandbox, to be asked. `timeout_s` bounds each question."""
        with self._lock:
            server = self._side.for_code(source)
        return ProblemProbe(server, source, entry_point, timeout_s=timeout_s)

    def parse(self, text: str, *, timeout_s: float = 5.0, max_bytes: int = 1 << 20) -> Outline:
        """The outline of untrusted text, by a resident sandboxed parser."""
        if self._parser is None:
            self._parser = Parser(self.plan)
        return self._parser.outline(text, timeout_s=timeout_s, max_bytes=max_bytes)


def _exchange(
    jobs: Iterator[Job],
    todo: queue.SimpleQueue[Job | None],
    done: queue.SimpleQueue[Execution | BaseException],
    *,
    ahead: int,
    left_s: Callable[[], float] | None = None,
) -> Iterator[Execution]:
    """Keeps `ahead` jobs in the workers' queue and yields what they finish, until the time is up."""
    waiting = 0
    exhausted = False
    while left_s is None or left_s() > 0:
        while not exhausted and waiting < ahead:
            job = next(jobs, None)
            exhausted = job is None
            if job is not None:
                todo.put(job)
                waiting += 1
        if not waiting:
            return
        try:
            result = done.get(timeout=None if left_s is None else max(0.0, min(left_s(), _LOOK_EVERY_S)))
        except queue.Empty:
            continue
        waiting -= 1
        if isinstance(result, BaseException):
            raise result
        yield result
