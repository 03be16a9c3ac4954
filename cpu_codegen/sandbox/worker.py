"""One worker and the jobs that it runs, one after the other."""

from __future__ import annotations

import queue
from dataclasses import replace

from cpu_codegen.errors import HarnessError
from cpu_codegen.sandbox import expected, tiers
from cpu_codegen.sandbox.call_counts import CallCounts, checked
from cpu_codegen.sandbox.payload import payload_of, preparation_of
from cpu_codegen.sandbox.run import JobRun, ReferenceNeeded, run_with_retry
from cpu_codegen.sandbox.servers import Servers
from cpu_codegen.schema import AssertTask, EvalPlusTask, Execution, Job, Outcome


class Worker:
    """One job at a time, on fork servers that are restarted when they break."""

    def __init__(self, plan: tiers.Plan, counts: CallCounts) -> None:
        self.servers = Servers(plan)
        self.counts = counts
        self.stopping = False
        self._run: JobRun | None = None

    def work(self, todo: queue.SimpleQueue[Job | None], done: queue.SimpleQueue[Execution | BaseException]) -> None:
        """Executes jobs until told to stop."""
        while (job := todo.get()) is not None and not self.stopping:
            try:
                done.put(self.execute(job))
            except BaseException as error:  # carried to the caller's thread, which raises it
                done.put(error)

    def execute(self, job: Job) -> Execution:
        """One job, retried once when our own machinery fails."""
        try:
            payload, processes = self._payload(job), self._processes(job)
            try:
                execution = run_with_retry(lambda: self._begin(job, payload, processes))
                return self._as_often_called(job, execution)
            except ReferenceNeeded:
                return run_with_retry(lambda: self._begin(job, payload, 2 * processes))
        except HarnessError as error:
            return Execution(job.id, Outcome.HARNESS_ERROR, detail="expected", message=str(error))
        finally:
            self._run = None

    def _begin(self, job: Job, payload: bytes, processes: int) -> JobRun:
        if self.stopping:
            raise HarnessError("stopped")
        run = self._run = JobRun(self.servers.for_code(job.code), job, payload, candidates=processes)
        if self.stopping:  # since the first line; `stop` may have looked too early
            run.abort()
        return run

    def _processes(self, job: Job) -> int:
        """Base and plus tests each have a process of their own, as with EvalPlus."""
        return 2 if isinstance(job.task, EvalPlusTask) else 1

    def _as_often_called(self, job: Job, execution: Execution) -> Execution:
        """A pass stands only if the test called the program as often as it calls the canonical solution."""
        task, run = job.task, self._run
        if (
            not isinstance(task, AssertTask)
            or not task.canonical
            or execution.outcome is not Outcome.PASSED
            or run is None
        ):
            return execution
        calls = run.calls

        def count() -> int | None:
            reference = self._begin(replace(job, code=task.canonical), payload_of(replace(job, code=task.canonical)), 1)
            return reference.calls if reference.run().outcome is Outcome.PASSED else None

        return checked(execution, calls, self.counts.of(task, count))

    def _payload(self, job: Job) -> bytes:
        task = job.task
        if not isinstance(task, EvalPlusTask):
            return payload_of(job)

        def compute() -> str:
            reference = replace(job, code=task.canonical, limits=expected.PREPARE_LIMITS)
            run = self._begin(reference, preparation_of(reference, task), 1)
            return expected.answer(run.ask())

        return payload_of(job, expected.prepared(task, compute))

    def stop(self) -> None:
        """Kills what is in flight; no further job is begun."""
        self.stopping = True
        run = self._run
        if run is not None:
            run.abort()

    def close(self) -> None:
        """Ends the fork servers."""
        self.servers.close()
