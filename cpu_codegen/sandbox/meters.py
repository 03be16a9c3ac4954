"""Readings of a process from outside, which it can neither forge nor see: memory, CPU clock, context switches."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from cpu_codegen.sandbox.layers.kernel import cpu_clock_of

_FIELDS = {
    "VmHWM": "peak_rss_bytes",
    "VmRSS": "rss_bytes",
    "Threads": "threads",
    "nonvoluntary_ctxt_switches": "involuntary_switches",
}
_LINE = re.compile(r"^(\w+):\s+(\d+)(?: kB)?$", re.MULTILINE)
_SETTLE_ROUNDS = 50


@dataclass(frozen=True, slots=True)
class Status:
    """What /proc/<pid>/status says."""

    peak_rss_bytes: int = 0
    rss_bytes: int = 0
    threads: int = 0
    involuntary_switches: int = 0


def status(pid: int) -> Status | None:
    """A living process's figures; None when it is gone (a zombie has no memory)."""
    try:
        with open(f"/proc/{pid}/status") as lines:
            found = dict(_LINE.findall(lines.read()))
    except OSError:
        return None
    if "VmHWM" not in found:
        return None
    return Status(**{field: int(found[name]) << (10 if name[:2] == "Vm" else 0) for name, field in _FIELDS.items()})


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


def cpu_ns(pid: int) -> int:
    """The CPU clock of a process that may be running."""
    return time.clock_gettime_ns(cpu_clock_of(pid))


def settled_cpu_ns(pid: int) -> int:
    """The CPU clock of a process that has just gone to sleep: read until it stands still."""
    clock = cpu_clock_of(pid)
    reading = time.clock_gettime_ns(clock)
    for _ in range(_SETTLE_ROUNDS):
        again = time.clock_gettime_ns(clock)
        if again == reading:
            break
        reading = again
    return reading
