"""The exception that ends a slow call comes inside the call and nowhere else."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator

import pytest

from cpu_codegen.sandbox.inside.alarm import Alarm, TimeoutException, limits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGALRM")


@pytest.fixture
def alarm() -> Iterator[Alarm]:
    """An alarm of this process; what was there before is put back."""
    before = signal.getsignal(signal.SIGALRM)
    alarm = Alarm()
    yield alarm
    alarm.close()
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_call_that_takes_too_long_is_ended(alarm: Alarm) -> None:
    """Whether it computes or sleeps."""
    for wait in (lambda: time.sleep(5), lambda: sum(1 for _ in iter(int, 1))):
        alarm.begin(0.2)
        with pytest.raises(TimeoutException):
            wait()
        alarm.end()


def test_a_swallowed_exception_does_not_come_again(alarm: Alarm) -> None:
    """As in EvalPlus, whose timer is set once a call."""
    caught = 0
    alarm.begin(0.1)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        try:
            while time.monotonic() < until:
                time.sleep(0.01)
        except TimeoutException:
            caught += 1
    alarm.end()
    assert caught == 1


def test_nothing_comes_between_calls_or_after_them(alarm: Alarm) -> None:
    """The timer may ring then; it finds no call."""
    for _ in range(3):
        alarm.begin(0.1)
        alarm.end()
    time.sleep(0.3)
    alarm.begin(0)
    time.sleep(0.3)
    alarm.end()
    alarm.close()
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_each_call_has_its_own_limit() -> None:
    """One for all, more for those that are known to be slow, none where none is asked for."""
    assert limits({"alarm_s": 4.0, "slow": [[1, 9.5]]}, 3) == [4.0, 9.5, 4.0]
    assert limits({}, 2) == [0.0, 0.0]
