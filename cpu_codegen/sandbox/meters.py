"""Readings of a process from outside, which it can neither forge nor see: memory, CPU clock, context switches."""

from __future__ import annotations

import itertools
import re
import sys
import time
from dataclasses import dataclass

from cpu_codegen.sandbox.layers.kernel import cpu_clock_of

_FIELDS = {
    b"VmHWM": "peak_rss_bytes",
    b"VmRSS": "rss_bytes",
    b"Threads": "threads",
    b"nonvoluntary_ctxt_switches": "involuntary_switches",
}
# Bytes, here and below: a process names itself, and its name may be no text, or break a line as text does.
_LINE = re.compile(rb"^(\w+):[ \t]+(\d+)(?: kB)?$", re.MULTILINE)
_SETTLE_S = 0.05
_SETTLE_PAUSE_S = 0.0001
_SPINS = 20


@dataclass(frozen=True, slots=True)
class Status:
    """What /proc/<pid>/status says."""

    peak_rss_bytes: int = 0
    rss_bytes: int = 0
    threads: int = 0
    involuntary_switches: int = 0


def status(pid: int) -> Status | None:
    """A living process's figures; None when it is gone (a zombie has no memory)."""
    if sys.platform == "darwin":
        return _macos_status(pid)
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            found = dict(_LINE.findall(file.read()))
    except OSError:
        return None
    if b"VmHWM" not in found:
        return None
    return Status(**{field: int(found[name]) << (10 if name[:2] == b"Vm" else 0) for name, field in _FIELDS.items()})


def _macos_status(pid: int) -> Status | None:
    from cpu_codegen.sandbox import meters_macos

    try:
        now, peak = meters_macos.memory_bytes(pid)
    except ProcessLookupError:
        return None
    return Status(peak_rss_bytes=peak, rss_bytes=now)


def peak_rss_bytes(pid: int) -> int | None:
    """The process's high-water mark so far."""
    found = status(pid)
    return None if found is None else found.peak_rss_bytes


def reset_peak(pid: int) -> bool:
    """Sets the high-water mark back to what is resident now; False where the kernel refuses."""
    try:
        with open(f"/proc/{pid}/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        return False
    return True


def starved_s(pid: int) -> float:
    """For how long the process's main thread was ready to run and had no core; 0 where the kernel does not count it."""
    try:
        with open(f"/proc/{pid}/schedstat") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def cpu_ns(pid: int) -> int:
    """The CPU clock of a process that may be running."""
    if sys.platform == "darwin":
        from cpu_codegen.sandbox import meters_macos

        return meters_macos.cpu_ns(pid)
    return time.clock_gettime_ns(cpu_clock_of(pid))


def settled_cpu_ns(pid: int) -> int:
    """The CPU clock of a process that is about to sleep, read once it sleeps.

    The kernel brings the clock of another process up to date at ticks and when it leaves its core, so that between the two it
    stands still and lags by up to 4 ms: two equal readings prove nothing, the state does.
    """
    deadline = time.monotonic() + _SETTLE_S
    for attempt in itertools.count():
        if not _is_running(pid) or time.monotonic() > deadline:
            break
        if attempt >= _SPINS:
            time.sleep(_SETTLE_PAUSE_S)
    return cpu_ns(pid)


def _is_running(pid: int) -> bool:
    """Is its main thread on a core or waiting for one?"""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split(maxsplit=1)[0] == b"R"
    except (OSError, IndexError):
        return False
