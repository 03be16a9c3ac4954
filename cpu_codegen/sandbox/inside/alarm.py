"""EvalPlus's limit of one call, mirrored for parity: an exception that is raised inside the program after so many seconds.

The program may swallow it, as it may there; then the call goes on without another. It is no protection: the real limits are kept
from outside. A program that was kept waiting for a core gets the time that it missed, so that a verdict does not depend on what
else the machine does. One timer serves many calls, because setting it costs more than most calls do.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the functions of `signal` wrap these and take ten times as long
import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

if sys.platform != "win32":
    import resource

_ALARM = int(getattr(signal, "SIGALRM", 0))  # Windows has none
_LOOK_EVERY_S = 0.5
_STARVED = 0.7  # of the time in CPU time: who used less has slept or was kept waiting
_PREEMPTIONS = 10  # as many tell waiting from sleeping


class TimeoutException(Exception):
    """A call took too long."""


def limits(options: dict[str, Any], count: int) -> list[float]:
    """Seconds for each of a batch's calls; 0 = none. Options: "alarm_s", and "slow" for the calls that have more."""
    found = [float(options.get("alarm_s", 0.0))] * count
    for index, seconds in options.get("slow", []):
        found[index] = seconds
    return found


class Alarm:
    """The timer of a batch's calls, one after the other: `begin`, the call, `end`."""

    def __init__(self) -> None:
        self.until = 0.0  # of the call that runs, on perf_counter; 0 = none runs, or it had its exception
        self.call = 0
        self.seen_call = -1
        self.seen_s = self.used_s = 0.0  # when the timer first looked at the call, and its CPU time then
        self.preempted = 0
        # kept, because the program may replace what it finds in the modules
        self._clock, self._cpu = time.perf_counter, time.process_time
        self._set_timer: Callable[[int, float], Any] = getattr(_signal, "setitimer", _no_timer)

    def begin(self, seconds: float) -> None:
        """A call begins that may take so long."""
        if seconds:
            self.call += 1
            self.until = self._clock() + seconds
            if _signal.getsignal(_ALARM) != self._look:
                _signal.signal(_ALARM, self._look)
                self._set_timer(_signal.ITIMER_REAL, min(_LOOK_EVERY_S, seconds))

    def end(self) -> None:
        """The call is over; a late ring finds nothing."""
        self.until = 0.0

    def close(self) -> None:
        """The batch is over."""
        if self.call and _signal.getsignal(_ALARM) == self._look:
            self._set_timer(_signal.ITIMER_REAL, 0.0)
            _signal.signal(_ALARM, _signal.SIG_DFL)

    def _look(self, number: int, frame: FrameType | None) -> None:
        now = self._clock()
        self._set_timer(
            _signal.ITIMER_REAL, max(0.001, min(_LOOK_EVERY_S, self.until - now)) if self.until else _LOOK_EVERY_S
        )
        if not self.until:
            return
        if self.seen_call != self.call:
            self.seen_call, self.seen_s, self.used_s, self.preempted = self.call, now, self._cpu(), _preemptions()
        if now >= self.until:
            self._time_is_up(now)

    def _time_is_up(self, now: float) -> None:
        used_s, preempted = self._cpu() - self.used_s, _preemptions() - self.preempted
        waited_s = now - self.seen_s - used_s
        if preempted >= _PREEMPTIONS and used_s < _STARVED * (now - self.seen_s):
            self.until = now + waited_s
            self.seen_s, self.used_s, self.preempted = now, used_s + self.used_s, preempted + self.preempted
            return
        self.until = 0.0
        raise TimeoutException("Timed out!")


def _no_timer(kind: int, seconds: float) -> None:
    """Windows has no such timer: calls have the limits kept from outside only."""


def _preemptions() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
