"""How much of our cores other programs use just now, and what that does to llama.cpp's threads.

llama.cpp's threads wait for each other several hundred times a token. When one of them has lost its core to another program, all
wait: two threads on two cores of which one is busy were measured many times slower than one thread. A part of that is how they
wait: OpenMP's threads spin, and so use up the time that the slower one needs. Put to sleep instead they decoded 2.3 times as fast
on two cores with other programs (1.2 and 2.8 tokens/s); on quiet cores waking up costs time, so
that is where spinning stays.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

WATCH_S = 0.2
ASLEEP = {"OMP_WAIT_POLICY": "passive"}
"""For the environment of llama.cpp's process, read when its library is loaded: threads that wait sleep."""

STAT = Path("/proc/stat")
_STRAY = 0.3
"""Cores' worth of work that a system does anyway."""


@dataclass(frozen=True, slots=True)
class Busy:
    """`cores` that we may use, `used` of them (a sum over parts of cores) by others; `load` is the system's one-minute average."""

    used: float
    cores: int
    load: float | None = None

    def threads_that_fit(self) -> int:
        """Threads that each get a core of their own; at least 1."""
        return max(1, math.floor(self.cores - self.used + _STRAY))

    def crowds(self, threads: int) -> bool:
        """Will some of so many threads have to share a core?"""
        return threads > self.threads_that_fit() and self.used >= _STRAY

    def warning(self, threads: int) -> str | None:
        """What to say before `threads` threads start; None when each has a core."""
        if not self.crowds(threads):
            return None
        fit = self.threads_that_fit()
        return (
            f"{self.used:.1f} of {self.cores} cores are busy with other programs: {threads} threads wait for each other and may be "
            f"many times slower than {fit}; try -t {fit}"
        )


def waiting(environment: Mapping[str, str], *, asleep: bool) -> dict[str, str]:
    """What to add to an environment; nothing where the user has chosen how OpenMP waits."""
    chosen = any(name in environment for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"))
    return dict(ASLEEP) if asleep and not chosen else {}


def watch(seconds: float = WATCH_S) -> Busy | None:
    """Looks for a moment; we ourselves sleep meanwhile. None where the system does not tell."""
    if not sys.platform.startswith("linux"):
        return _portable(seconds)
    usable = os.sched_getaffinity(0)
    before = read_ticks(STAT)
    time.sleep(seconds)
    return compare(before, read_ticks(STAT), usable)


class Company:
    """What other programs used while something of ours ran: asked at its end, after our children were waited for."""

    def __init__(self) -> None:
        self._began, self._own, self._ticks = time.monotonic(), _own_seconds(), read_ticks(STAT)

    def cores(self) -> float | None:
        """Cores' worth of work of others, on average since the beginning; None where the system does not tell."""
        elapsed = time.monotonic() - self._began
        if not self._ticks or elapsed <= 0:
            return None
        busy = compare(self._ticks, read_ticks(STAT), os.sched_getaffinity(0))
        return None if busy is None else max(0.0, busy.used - (_own_seconds() - self._own) / elapsed)


def _own_seconds() -> float:
    """CPU time of this process and of its children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def read_ticks(stat: Path) -> dict[int, tuple[int, int]]:
    """Core → (ticks at work, all ticks) so far."""
    try:
        lines = stat.read_text(encoding="ascii").splitlines()
    except OSError:
        return {}
    found: dict[int, tuple[int, int]] = {}
    for line in lines:
        if line.startswith("cpu") and line[3:4].isdigit():
            name, *values = line.split()
            ticks = [int(value) for value in values[:8]]  # guest time is in user time already
            idle = ticks[3] + (ticks[4] if len(ticks) > 4 else 0)
            found[int(name[3:])] = (sum(ticks) - idle, sum(ticks))
    return found


def compare(before: dict[int, tuple[int, int]], after: dict[int, tuple[int, int]], usable: set[int]) -> Busy | None:
    """The share of each usable core that was at work between two readings, added up."""
    shares = []
    for core in usable & set(before) & set(after):
        worked, passed = (after[core][i] - before[core][i] for i in (0, 1))
        shares.append(worked / passed if passed > 0 else 0.0)
    return Busy(sum(shares), len(shares), _load()) if shares else None


def _load() -> float | None:
    try:
        return os.getloadavg()[0]
    except (OSError, AttributeError):
        return None


def _portable(seconds: float) -> Busy | None:
    import psutil

    shares = psutil.cpu_percent(interval=seconds, percpu=True)
    return Busy(sum(shares) / 100, len(shares), _load()) if shares else None
