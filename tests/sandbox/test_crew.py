"""Processes that are forked ahead of their job: never with another job's limits, never left over."""

from __future__ import annotations

from dataclasses import replace

import psutil

from cpu_codegen.sandbox import open_sandbox
from cpu_codegen.schema import AssertTask, Job, Limits, Outcome

GREEDY = "def f(x):\n    return len(bytes(300_000_000)) + x - 300_000_000"
PLAIN = "def f(x):\n    return x"
TEST = AssertTask("assert f(3) == 3")


def job(number: int, code: str, memory_bytes: int = 1 << 30) -> Job:
    """A job that passes where its memory suffices."""
    return Job(str(number), code, "f", TEST, replace(Limits(), memory_bytes=memory_bytes))


def test_a_spare_with_other_limits_is_not_used() -> None:
    """Jobs whose memory limits alternate get their own limit each."""
    limits = [200 << 20, 1 << 30] * 4
    with open_sandbox() as box:
        ends = {end.job_id: end.outcome for end in box.judge(job(n, GREEDY, limit) for n, limit in enumerate(limits))}
    assert [ends[str(n)] for n in range(8)] == [Outcome.MEMORY, Outcome.PASSED] * 4


def test_no_spare_outlives_its_stream() -> None:
    """Whether a stream ends or is given up, the fork server has no child left, and the next stream works."""
    with open_sandbox() as box:
        (server,) = (psutil.Process(pid) for pid in box.server_pids())
        assert all(end.outcome is Outcome.PASSED for end in box.judge(job(n, PLAIN) for n in range(12)))
        assert server.children() == []
        stream = iter(box.judge(job(n, PLAIN) for n in range(12)))
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert server.children() == []
        assert all(end.outcome is Outcome.PASSED for end in box.judge(job(n, PLAIN) for n in range(3)))


def test_spares_that_die_early_cost_no_verdict() -> None:
    """Every process of the server is killed once in the middle of a stream: all jobs are judged all the same."""
    with open_sandbox() as box:
        (server,) = (psutil.Process(pid) for pid in box.server_pids())
        outcomes = []
        for number, end in enumerate(box.judge(job(n, PLAIN) for n in range(30))):
            outcomes.append(end.outcome)
            spare = box.workers[0]._spare
            if number % 10 == 5 and spare is not None:
                for child in spare.children():
                    child.kill()
        assert outcomes == [Outcome.PASSED] * 30
        assert server.children() == []
