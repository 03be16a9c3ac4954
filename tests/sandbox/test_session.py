"""Measuring sessions: what is metered, what a hostile program can hide (nothing), how failures are told."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from cpu_codegen.sandbox import Sandbox, Session, SessionFailed, meters
from cpu_codegen.schema import Limits, Outcome

SPIN = "import time\ndef f(s):\n end = time.process_time() + s\n while time.process_time() < end: pass\n return s"


def test_cpu_time_is_the_programs_own_work(box: Sandbox) -> None:
    """Claim: a program that burns 0.2 s of CPU time, as its own clock says, is charged just that from outside."""
    with box.session(SPIN, "f") as session:
        measured = session.call([[0.2]])
    assert 0.19 < measured.cpu_s < 0.25
    assert measured.wall_s >= 0.9 * measured.cpu_s


def test_repeats_and_batch_are_one_window(box: Sandbox) -> None:
    """Claim: `repeats` passes over the batch add up, every call with arguments of its own."""
    with box.session("def f(a):\n a.append(1)\n return len(a)", "f") as session:
        measured = session.call([[[]], [[0, 0]]], repeats=5, fetch=True)
    assert measured.outputs == [1, 3]


def test_sleep_is_no_cpu_time(box: Sandbox) -> None:
    """Claim: waiting shows in wall time only."""
    with box.session("import time\ndef f(x): time.sleep(0.2)", "f") as session:
        measured = session.call([[1]])
    assert measured.cpu_s < 0.05
    assert measured.wall_s >= 0.2


def test_threads_are_charged_too(box: Sandbox) -> None:
    """Claim: work in other threads is in the program's CPU time."""
    code = SPIN.replace("process_time", "thread_time") + (
        "\nimport threading\ndef g(s):\n ts = [threading.Thread(target=f, args=(s,)) for _ in range(3)]"
        "\n [t.start() for t in ts]; [t.join() for t in ts]"
    )
    with box.session(code, "g") as session:
        assert session.call([[0.05]]).cpu_s > 0.14


def test_patched_clocks_change_nothing(box: Sandbox) -> None:
    """Claim: the program's own clocks are not asked."""
    code = (
        "import time\nclock = time.process_time\ntime.process_time = time.perf_counter = time.monotonic = lambda: 0.0\n"
    )
    code += "def f(s):\n end = clock() + s\n while clock() < end: pass"
    with box.session(code, "f") as session:
        assert session.call([[0.1]]).cpu_s > 0.09


def test_work_hidden_outside_the_window_is_shown(box: Sandbox) -> None:
    """Claim: CPU time that a program spends before or after the window stands in `outside_cpu_s`."""
    code = "import gc, time\ndef burn(*a):\n end = time.process_time() + 0.1\n while time.process_time() < end: pass\n"
    code += "gc.callbacks.append(lambda phase, info: phase == 'start' and info['generation'] == 2 and burn())\ndef f(x): return x"
    with box.session(code, "f") as session:
        measured = session.call([[1]])
    assert measured.outside_cpu_s > 0.09
    assert measured.cpu_s < 0.05


def test_peak_memory_is_seen_though_it_was_freed(box: Sandbox) -> None:
    """Claim: a spike of 60 MB that is gone before the end shows in the peak and not in what is resident."""
    code = "def f(n):\n b = bytearray(n)\n for i in range(0, n, 4096): b[i] = 1"
    with box.session(code, "f") as session:
        assert session.reset_peak()
        base = session.rss_bytes()
        session.call([[60 << 20]])
        assert session.peak_rss_bytes() - base > 55 << 20
        assert session.rss_bytes() - base < 30 << 20


def test_the_session_stays_on_one_core(box: Sandbox) -> None:
    """Claim: the program is pinned to the last core that we may use, or to the one asked for, and cannot move."""
    code = "import os\ndef f(x):\n try: os.sched_setaffinity(0, range(64))\n except OSError: pass\n"
    code += " return sorted(os.sched_getaffinity(0))"
    cores = sorted(os.sched_getaffinity(0))
    for asked, expected in ((None, cores[-1]), (cores[0], cores[0])):
        with box.session(code, "f", core=asked) as session:
            assert session.call([[1]], fetch=True).outputs == [[expected]]


FAILURES = {
    "raises": ("def f(x): return 1 / 0", Outcome.ERROR, "ZeroDivisionError"),
    "exits": ("import os\ndef f(x): os._exit(3)", Outcome.ERROR, "exit"),
    "raises SystemExit": ("def f(x): raise SystemExit(0)", Outcome.ERROR, "exit"),
    "crashes": ("import os\ndef f(x): os.kill(os.getpid(), 11)", Outcome.ERROR, "crash:SIGSEGV"),
    "burns": ("def f(x):\n while True: pass", Outcome.TIMEOUT, "cpu"),
    "sleeps": ("import time\ndef f(x): time.sleep(60)", Outcome.TIMEOUT, "wall"),
    "eats memory": ("def f(x): return [0] * 10**11", Outcome.MEMORY, "MemoryError"),
    "is no Python": ("def f(", Outcome.SYNTAX, "SyntaxError"),
    "fails to load": ("import pandas\ndef f(x): pass", Outcome.ERROR, "import:pandas"),
    "has another name": ("def g(x): pass", Outcome.ERROR, "KeyError"),
    "closes its channel": (
        "import os, time\ndef f(x):\n os.closerange(3, 99)\n time.sleep(60)",
        Outcome.ERROR,
        "violation",
    ),
    "forges a phase": ("import os\ndef f(x):\n os.write(3, b'X')\n return 1", Outcome.ERROR, "violation"),
    "makes a forbidden call": (
        "import ctypes\ndef f(x): ctypes.CDLL(None).ptrace(0, 0, 0, 0)",
        Outcome.ERROR,
        "violation",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_program_that_fails_ends_the_session_with_its_outcome(name: str, box: Sandbox) -> None:
    """Claim: whatever the program does wrong is a SessionFailed with the outcome and detail of a verdict; the sandbox goes on."""
    code, outcome, detail = FAILURES[name]
    limits = Limits(wall_s=2.0 if detail == "wall" else 30.0, cpu_s=0.5)
    with pytest.raises(SessionFailed) as failed, box.session(code, "f", limits=limits) as session:
        session.call([[1]], fetch=True)
    assert (failed.value.outcome, failed.value.detail) == (outcome, detail)
    with box.session("def f(x): return x", "f") as session:
        assert session.call([[7]], fetch=True).outputs == [7]


def test_an_output_too_large_to_look_at_is_told_as_such(box: Sandbox) -> None:
    """Claim: the parent never parses an output beyond its limit."""
    with (
        pytest.raises(SessionFailed) as failed,
        box.session("def f(n): return 'a' * n", "f") as session,
    ):
        session.call([[17 << 20]], fetch=True)
    assert failed.value.detail == "output_too_large"


def test_without_fetch_an_output_does_not_cross(box: Sandbox) -> None:
    """Claim: an output of any size may be measured when nobody asks for it."""
    with box.session("def f(n): return 'a' * n", "f") as session:
        assert session.call([[80 << 20]]).outputs is None


HIDES = (
    "import sys, threading, time\n"
    "def burn():\n end = time.thread_time() + 0.1\n while time.thread_time() < end: pass\n"
    "def late():\n time.sleep(0.05); burn()\n"
    "def f(x):\n threading.Thread(target=late).start(); return x"
)


def wait_for_work(session: Session) -> None:
    """Until the program has used 0.1 s of CPU time though nobody called it."""
    ends, begun_ns = time.monotonic() + 20, meters.cpu_ns(session.host_pid)
    while meters.cpu_ns(session.host_pid) - begun_ns < 9.5e7 and time.monotonic() < ends:
        time.sleep(0.01)


def test_work_between_two_calls_is_shown_with_the_next(box: Sandbox) -> None:
    """Claim: a thread that goes on while the program should wait is charged: to `outside_cpu_s`, as it is in no window."""
    with box.session(HIDES, "f") as session:
        first = session.call([[1]])
        wait_for_work(session)
        second = session.call([[1]])
    assert max(first.cpu_s, first.outside_cpu_s, second.cpu_s) < 0.05
    assert second.outside_cpu_s > 0.09


def test_work_since_the_load_is_shown_with_the_first_call(box: Sandbox) -> None:
    """Claim: the same for a thread that was started while the program was loaded."""
    with box.session(HIDES + "\nf(0)\ndef g(x): return x", "g") as session:
        wait_for_work(session)
        assert session.call([[1]]).outside_cpu_s > 0.09


def test_a_window_cannot_be_ended_before_it_begins(box: Sandbox) -> None:
    """Claim: "armed" and "done" in one breath would be a window of no time at all; it is a violation."""
    code = (
        "import gc, os\n"
        "gc.callbacks.append(lambda phase, info: phase == 'start' and info['generation'] == 2 and os.write(3, b'AD'))\n"
        "def f(x): return sum(range(10**6))"
    )
    with pytest.raises(SessionFailed) as failed, box.session(code, "f") as session:
        session.call([[1]])
    assert failed.value.detail == "violation"


def test_the_kernel_ends_a_program_before_the_users_own(box: Sandbox) -> None:
    """Claim: when memory runs out, programs are the first to be killed."""
    with box.session("def f(x): return x", "f") as session:
        assert Path(f"/proc/{session.host_pid}/oom_score_adj").read_text() == "1000\n"


def test_a_crash_starts_no_program_that_takes_dumps(box: Sandbox) -> None:
    """Claim: the limit is 1 and not 0, as Linux starts a handler of dumps (apport, systemd-coredump) for every other one."""
    code = "import resource\ndef f(x): return resource.getrlimit(resource.RLIMIT_CORE)"
    with box.session(code, "f") as session:
        assert session.call([[1]], fetch=True).outputs == [{"t": [1, 1]}]


@pytest.mark.parametrize("name", [rb"\xff\xfe", rb"\rVmHWM:\t9", rb") R 1 (", b""])
def test_a_name_of_its_own_does_not_mislead_the_meters(box: Sandbox, name: bytes) -> None:
    """Claim: memory, clock and state are read past whatever a process calls itself."""
    code = f"import ctypes\nctypes.CDLL(None).prctl(15, b'{name.decode()}', 0, 0, 0)\ndef f(x): return x"
    with box.session(code, "f") as session:
        assert session.call([[1]]).cpu_s < 0.05
        assert session.peak_rss_bytes() >= session.rss_bytes() > 1 << 20
