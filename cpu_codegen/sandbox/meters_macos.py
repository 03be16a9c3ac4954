"""Readings of a process on macOS, by proc_pid_rusage: CPU time, footprint and its lifetime peak. From the headers, untried."""

from __future__ import annotations

import ctypes
import functools

_RUSAGE_INFO_V4 = 4
# sys/resource.h, struct rusage_info_v4: a UUID of 16 bytes, then 64-bit figures; these are the places of those that we read.
_FIGURES = 35
_USER_TIME, _SYSTEM_TIME, _FOOTPRINT, _PEAK_FOOTPRINT = 0, 1, 7, 28


class _Usage(ctypes.Structure):
    _fields_ = (("uuid", ctypes.c_uint8 * 16), ("figures", ctypes.c_uint64 * _FIGURES))


class _Timebase(ctypes.Structure):
    _fields_ = (("numerator", ctypes.c_uint32), ("denominator", ctypes.c_uint32))


@functools.cache
def _library() -> ctypes.CDLL:
    return ctypes.CDLL("/usr/lib/libSystem.B.dylib", use_errno=True)


@functools.cache
def _ns_per_tick() -> float:
    """Times are in ticks of the machine: 1 ns on Intel, 125/3 ns on Apple's own."""
    base = _Timebase()
    _library().mach_timebase_info(ctypes.byref(base))
    return float(base.numerator / base.denominator)


def _figures(pid: int) -> list[int]:
    usage = _Usage()
    if _library().proc_pid_rusage(pid, _RUSAGE_INFO_V4, ctypes.byref(usage)) != 0:
        raise ProcessLookupError(ctypes.get_errno(), f"no process {pid}")
    return list(usage.figures)


def cpu_ns(pid: int) -> int:
    """CPU time of all threads."""
    figures = _figures(pid)
    return round((figures[_USER_TIME] + figures[_SYSTEM_TIME]) * _ns_per_tick())


def memory_bytes(pid: int) -> tuple[int, int]:
    """(footprint now, its largest so far): what macOS itself charges a process with."""
    figures = _figures(pid)
    return figures[_FOOTPRINT], figures[_PEAK_FOOTPRINT]
