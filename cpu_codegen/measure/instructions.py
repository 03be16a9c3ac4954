"""Retired instructions of another process, by perf events, where hardware and kernel allow it; elsewhere None.

Nearly free of noise, so it stands beside CPU time; it is not time (cache misses, C extensions). Virtual machines often have no
counter, and kernel.perf_event_paranoid over 2 keeps it from ordinary users. User mode only: the kernel's work for us is not the
program's.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
import sys
from dataclasses import dataclass

from cpu_codegen.sandbox.layers import kernel

_PERF_EVENT_OPEN = {"x86_64": 298, "aarch64": 241}
_ATTRIBUTE_BYTES = 64  # PERF_ATTR_SIZE_VER0, which every kernel takes
_INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6
_CLOSE_ON_EXEC = 8
HARDWARE_INSTRUCTIONS = (0, 1)  # type, config
SOFTWARE_TASK_CLOCK = (1, 1)  # counts nanoseconds; there on every machine, so that tests can see this file work


@dataclass(frozen=True, slots=True)
class PerfCounter:
    """An open perf event of one process, its later threads included."""

    fd: int

    def read(self) -> int:
        """Events so far."""
        return int(struct.unpack("=Q", os.read(self.fd, 8))[0])

    def close(self) -> None:
        """Stops counting."""
        os.close(self.fd)


def open_counter(pid: int, event: tuple[int, int] = HARDWARE_INSTRUCTIONS) -> PerfCounter:
    """Counts an event of a process from now on. Raises OSError where that is not possible."""
    kind, config = event
    flags = _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR
    packed = struct.pack("=IIQQQQQ", kind, _ATTRIBUTE_BYTES, config, 0, 0, 0, flags).ljust(_ATTRIBUTE_BYTES, b"\0")
    attribute = ctypes.create_string_buffer(packed, _ATTRIBUTE_BYTES)
    number = _PERF_EVENT_OPEN.get(kernel.machine())
    if number is None or not sys.platform.startswith("linux"):
        raise OSError("no perf events here")
    words = (ctypes.c_int(pid), ctypes.c_int(-1), ctypes.c_int(-1), ctypes.c_ulong(_CLOSE_ON_EXEC))
    return PerfCounter(kernel.syscall(number, attribute, *words))


def instruction_counter(pid: int) -> PerfCounter | None:
    """A counter of retired instructions; None where there is none to be had."""
    if not is_available():
        return None
    try:
        return open_counter(pid)
    except OSError:
        return None


@functools.cache
def is_available() -> bool:
    """Can our own instructions be counted?"""
    try:
        open_counter(0).close()
    except OSError:
        return False
    return True
