"""Where to measure, and what disturbs a measurement: other work on the core, and a clock that changes its speed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.busy import STAT, read_ticks
from cpu_codegen.sandbox import Measured

_WATCH_S = 0.1
_SWITCHES_ALLOWED = 2
_SWITCHES_PER_S = 60.0  # a tick's worth of company; a shared core gives hundreds
_WALL_SLACK_S = 0.003
_WALL_OVER_CPU = 1.3
_FREQUENCY_DRIFT = 0.1


def quiet_core(watch_s: float = _WATCH_S) -> int | None:
    """Of the cores we may use, the one with the most idle time just now; the highest of equals. None where unknown."""
    usable = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(usable) < 2:
        return usable[0] if usable else None
    before = _idle_ticks()
    time.sleep(watch_s)
    after = _idle_ticks()
    return max(usable, key=lambda core: (after.get(core, 0) - before.get(core, 0), core))


def _idle_ticks() -> dict[int, int]:
    """Idle time of each core so far, in ticks; {} where the system does not tell."""
    return {core: passed - worked for core, (worked, passed) in read_ticks(STAT).items()}


def frequency_khz(core: int | None) -> int | None:
    """The core's clock now, where the kernel tells."""
    path = Path(f"/sys/devices/system/cpu/cpu{core}/cpufreq/scaling_cur_freq")
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Company:
    """Tells whether a window had company on its core."""

    core: int | None = None

    def frequency(self) -> int | None:
        """To be read before and after a pair of windows."""
        return frequency_khz(self.core)

    def disturbed(self, window: Measured) -> bool:
        """More involuntary switches than the tick explains, or much more wall than CPU time."""
        allowed = _SWITCHES_ALLOWED + _SWITCHES_PER_S * window.wall_s
        waited = window.wall_s > _WALL_OVER_CPU * window.cpu_s + _WALL_SLACK_S
        return window.involuntary_switches > allowed or waited

    @staticmethod
    def drifted(before_khz: int | None, after_khz: int | None) -> bool:
        """Did the core's clock change by more than a tenth between two readings?"""
        if not before_khz or not after_khz:
            return False
        return abs(after_khz / before_khz - 1) > _FREQUENCY_DRIFT
