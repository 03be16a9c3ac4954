"""EvalPlus's limit of one call, mirrored for parity: an exception that is raised inside the program after so many seconds.

The program may swallow it, as it may there. It is no protection: the real limits are kept from outside.
"""

from __future__ import annotations

import signal
from types import FrameType
from typing import Any


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

    __slots__ = ("seconds",)

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def __enter__(self) -> None:
        if self.seconds:
            signal.setitimer(signal.ITIMER_REAL, self.seconds)
            signal.signal(signal.SIGALRM, _raise)

    def __exit__(self, *exception: object) -> None:
        if self.seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)


def _raise(number: int, frame: FrameType | None) -> None:
    raise TimeoutException("Timed out!")
