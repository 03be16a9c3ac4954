"""Perf events of another process: seen at work through a software event, because virtual machines have no hardware one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from cpu_codegen.measure.instructions import SOFTWARE_TASK_CLOCK, instruction_counter, is_available, open_counter
from cpu_codegen.sandbox import open_sandbox
from cpu_codegen.sandbox.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    """A loaded program that counts."""
    code = "def f(n):\n    for _ in range(n):\n        pass\n    return n\n"
    with open_sandbox(workers=1) as sandbox, sandbox.session(code, "f") as opened:
        yield opened


def test_a_counter_sees_the_window_alone(session: Session) -> None:
    """Ten times the loop counts between five and twenty times the events; a call of nothing next to none."""
    try:
        session.counter = open_counter(session.host_pid, SOFTWARE_TASK_CLOCK)
    except OSError as error:
        pytest.skip(f"no perf events here: {error}")
    nothing, little, much = (session.call([[n]]).instructions for n in (0, 300_000, 3_000_000))
    assert nothing is not None
    assert little is not None
    assert much is not None
    assert nothing < little / 5
    assert 5 < much / little < 20


def test_without_a_counter_there_is_no_figure(session: Session) -> None:
    """Where none is attached, or none can be had, the window has None, never 0."""
    assert session.call([[1]]).instructions is None
    if not is_available():
        assert instruction_counter(os.getpid()) is None


def test_a_process_that_is_gone_has_no_counter() -> None:
    """Its number gives an error, which becomes None."""
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    with pytest.raises(OSError):  # noqa: PT011 - the errno depends on the machine
        open_counter(done.pid, SOFTWARE_TASK_CLOCK)
