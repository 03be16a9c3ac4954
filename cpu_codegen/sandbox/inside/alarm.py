"""EvalPlus's limit of one call, mirrored for parity: an exception that is raised inside the program after so many seconds.

The program may swallow it, as it may there. It is no protection: the real limits are kept from outside. A program that was kept
waiting for a core gets the time that it missed, so that a verdict does not depend on what else the machine does.
"""

from __future__ import annotations

import signal
import sys
import time
from types import FrameType
from typing import Any

if sys.platform != "win32":
    import resource

_STARVED = 0.8  # of the limit in CPU time: who used less has slept or was kept waiting
_PREEMPTIONS = 10  # as many tell waiting from sleeping


class TimeoutException(Exception):
    """A call took too long."""


def limits(options: dict[str, Any], count: int) -> list[float]:
    """Seconds for each of a batch's calls; 0 = none. Options: "alarm_s", and "slow" for the calls that have more."""
    found = [float(options.get("alarm_s", 0.0))] * count
    for index, seconds in options.get("slow", []):
        found[index] = seconds
    return found


class after:
    """A context that raises TimeoutException in itself once the seconds are over."""

    __slots__ = ("begun_s", "preempted", "seconds")

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        if self.seconds:
            self.begun_s, self.preempted = time.process_time(), _preemptions()
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
            signal.signal(signal.SIGALRM, self._ring)

    def __exit__(self, *exception: object) -> None:
        if self.seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)

    def _ring(self, number: int, frame: FrameType | None) -> None:
        used_s = time.process_time() - self.begun_s
        if used_s < _STARVED * self.seconds and _preemptions() - self.preempted >= _PREEMPTIONS:
            self.preempted = _preemptions()
            signal.setitimer(signal.ITIMER_REAL, self.seconds - used_s)
            return
        raise TimeoutException("Timed out!")


def _preemptions() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_nivcsw
