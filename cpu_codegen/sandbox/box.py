"""The sandbox as the rest of the program sees it: judge jobs, parse text, open a measuring session, probe a problem file.

One fork server and one thread per worker; jobs are drawn from the caller's iterator in the caller's own thread, so that it may
parse or read files meanwhile. Not covered: how one job runs (run.py), which layers are on (tiers.py).
"""

from __future__ import annotations

import contextlib
import functools
import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace
from types import TracebackType

from cpu_codegen.errors import HarnessError
from cpu_codegen.sandbox import expected, proof, tiers
from cpu_codegen.sandbox.crew import Crew, CrewSpec
from cpu_codegen.sandbox.forkserver import ForkServer
from cpu_codegen.sandbox.parser import Parser
from cpu_codegen.sandbox.payload import payload_of, preparation_of
from cpu_codegen.sandbox.probe import PROBE_TIMEOUT_S, ProblemProbe
from cpu_codegen.sandbox.run import JobRun, ReferenceNeeded, run_with_retry
from cpu_codegen.sandbox.session import Mode, Session
from cpu_codegen.schema import EvalPlusTask, Execution, Isolation, Job, Limits, Outcome, Outline

_AHEAD = 2  # jobs drawn per worker before results are waited for


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
        self.workers = [_Worker(plan) for _ in range(workers)]
        self.properties: dict[str, str] = {}
        self._parser: Parser | None = None
        self._side: ForkServer | None = None
        self._lock = threading.Lock()

    @property
    def isolation(self) -> Isolation:
        """The tier, the layers in force, and what they were proved to enforce."""
        return replace(self.plan.isolation(), properties=self.properties)

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all processes; may be called twice."""
        for worker in self.workers:
            worker.close()
        if self._parser is not None:
            self._parser.close()
        if self._side is not None:
            self._side.close()
            self._side = None

    def prove(self, *, allow_weak: bool = False) -> None:
        """Attacks the sandbox; MachineError when it does not work or does not hold."""
        self.plan = self.workers[0].server.plan
        self.properties = proof.prove(self, self.workers[0].server)
        proof.require(self.properties, allow_weak=allow_weak)

    def judge(self, jobs: Iterable[Job]) -> Iterator[Execution]:
        """One Execution per Job, out of order. Closing the iterator early kills what is in flight."""
        todo: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        done: queue.SimpleQueue[Execution | BaseException] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=worker.work, args=(todo, done), daemon=True, name="sandbox")
            for worker in self.workers
        ]
        for thread in threads:
            thread.start()
        try:
            yield from _exchange(iter(jobs), todo, done, ahead=_AHEAD * len(threads))
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
        servers = [*(worker.running for worker in self.workers), self._side]
        return {server.pid for server in servers if server is not None and server.is_alive()}

    @property
    def _side_server(self) -> ForkServer:
        """The fork server of sessions and probes, apart from the workers'."""
        with self._lock:
            if self._side is not None and not self._side.is_alive():
                self._side.close()
                self._side = None
            if self._side is None:
                self._side = ForkServer(self.plan)
            return self._side

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
        server = self._side_server
        if "numpy" in code and "numpy" in self.plan.packages:
            server.load("numpy")
        return Session(server, code, entry_point, limits=limits or Limits(), mode=mode, core=core)

    def probe(self, source: str, entry_point: str, *, timeout_s: float = PROBE_TIMEOUT_S) -> ProblemProbe:
        """A problem file, loaded in the sandbox, to be asked. `timeout_s` bounds each question."""
        return ProblemProbe(self._side_server, source, entry_point, timeout_s=timeout_s)

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
) -> Iterator[Execution]:
    """Keeps `ahead` jobs in the workers' queue and yields what they finish."""
    waiting = 0
    exhausted = False
    while True:
        while not exhausted and waiting < ahead:
            job = next(jobs, None)
            exhausted = job is None
            if job is not None:
                todo.put(job)
                waiting += 1
        if not waiting:
            return
        result = done.get()
        waiting -= 1
        if isinstance(result, BaseException):
            raise result
        yield result


class _Worker:
    """One fork server, restarted when it breaks."""

    def __init__(self, plan: tiers.Plan) -> None:
        self.plan = plan
        self.stopping = False
        self._server: ForkServer | None = None
        self._run: JobRun | None = None
        self._spare: Crew | None = None  # the next job's processes, if the next job is like this one
        self._is_more_to_do: Callable[[], bool] = lambda: False

    @property
    def server(self) -> ForkServer:
        """The fork server, started on first use."""
        if self._server is not None and not self._server.is_alive():
            self._server.close()
            self._server = None
        if self._server is None:
            self._server = ForkServer(self.plan)
        return self._server

    @property
    def running(self) -> ForkServer | None:
        """The fork server, if there is one."""
        return self._server

    def work(self, todo: queue.SimpleQueue[Job | None], done: queue.SimpleQueue[Execution | BaseException]) -> None:
        """Executes jobs until told to stop."""
        self._is_more_to_do = lambda: not todo.empty()
        while (job := todo.get()) is not None and not self.stopping:
            try:
                done.put(self.execute(job))
            except BaseException as error:  # carried to the caller's thread, which raises it
                done.put(error)
        self._end_spare()

    def execute(self, job: Job) -> Execution:
        """One job, retried once when our own machinery fails."""
        try:
            payload, processes = self._payload(job), self._processes(job)
            try:
                return run_with_retry(lambda: self._begin(job, payload, processes))
            except ReferenceNeeded:
                return run_with_retry(lambda: self._begin(job, payload, 2 * processes))
        except HarnessError as error:
            return Execution(job.id, Outcome.HARNESS_ERROR, detail="expected", message=str(error))
        finally:
            self._run = None

    def _begin(self, job: Job, payload: bytes, processes: int, *, is_one_of_many: bool = True) -> JobRun:
        if self.stopping:
            raise HarnessError("stopped")
        if "numpy" in job.code and "numpy" in self.plan.packages:
            self.server.load("numpy")
        spec = CrewSpec(processes, job.limits.memory_bytes, job.limits.cpu_s, frozenset(self.server.imports))
        make = self._crew if is_one_of_many and not self.plan.scratch_bytes else functools.partial(Crew, self.server)
        run = self._run = JobRun(job, payload, functools.partial(make, spec), candidates=processes)
        if self.stopping:  # since the first line; `stop` may have looked too early
            run.abort()
        return run

    def _crew(self, spec: CrewSpec) -> Crew:
        """The spare one where it fits; where more is to do, the next spare is forked while this job runs."""
        spare, self._spare = self._spare, None
        if spare is not None and (spare.spec != spec or spare.server is not self._server):
            self._end_crew(spare)
            spare = None
        crew = spare or Crew(self.server, spec)
        if self._is_more_to_do():
            self._spare = Crew(self.server, spec)
        return crew

    def _end_spare(self) -> None:
        spare, self._spare = self._spare, None
        if spare is not None:
            self._end_crew(spare)

    def _end_crew(self, crew: Crew) -> None:
        with contextlib.suppress(HarnessError):  # its server is gone, and it with it
            crew.end()

    def _processes(self, job: Job) -> int:
        """Base and plus tests each have a process of their own, as with EvalPlus."""
        return 2 if isinstance(job.task, EvalPlusTask) else 1

    def _payload(self, job: Job) -> bytes:
        task = job.task
        if not isinstance(task, EvalPlusTask):
            return payload_of(job)

        def compute() -> str:
            reference = replace(job, code=task.canonical, limits=expected.PREPARE_LIMITS)
            run = self._begin(reference, preparation_of(reference, task), 2, is_one_of_many=False)
            return expected.answer(run.ask())

        return payload_of(job, expected.prepared(task, compute))

    def stop(self) -> None:
        """Kills what is in flight; no further job is begun."""
        self.stopping = True
        run = self._run
        if run is not None:
            run.abort()

    def close(self) -> None:
        """Ends the fork server."""
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.close()
            self._server = None
