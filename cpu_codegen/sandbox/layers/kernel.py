"""The few Linux calls that Python does not wrap, through ctypes: prctl, close_range, capset, raw syscalls.

Covered: x86_64 and aarch64. Not covered: policy; the other files of this folder decide what to call.
"""

from __future__ import annotations

import ctypes
import functools
import os
import platform
from collections.abc import Iterable

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_SECUREBITS = 28
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4

_CLOSE_RANGE = 436  # the same number on every architecture, as are all calls since Linux 5.1


@functools.cache
def libc() -> ctypes.CDLL:
    """The C library of this process; loaded late, because `CDLL(None)` does not exist on Windows."""
    return ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """x86_64 or aarch64, whatever the platform calls it."""
    name = platform.machine()
    return {"arm64": "aarch64", "amd64": "x86_64", "AMD64": "x86_64"}.get(name, name)


def checked(result: int, what: str) -> int:
    """The result of a C call, or the OSError that it stands for."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def syscall(number: int, *arguments: object) -> int:
    """A raw system call; arguments must be ctypes values or None. Raises OSError."""
    function = libc().syscall
    function.restype = ctypes.c_long
    return checked(function(ctypes.c_long(number), *arguments), f"syscall {number}")


def prctl(option: int, *arguments: int) -> int:
    """prctl(2) with up to four numbers."""
    padded = [ctypes.c_ulong(value) for value in (*arguments, 0, 0, 0, 0)[:4]]
    return checked(libc().prctl(ctypes.c_int(option), *padded), f"prctl {option}")


def close_all_except(keep: Iterable[int]) -> None:
    """Closes every file descriptor that is not listed."""
    low = 0
    for fd in sorted(keep):
        if fd > low:
            syscall(_CLOSE_RANGE, ctypes.c_uint(low), ctypes.c_uint(fd - 1), ctypes.c_uint(0))
        low = fd + 1
    syscall(_CLOSE_RANGE, ctypes.c_uint(low), ctypes.c_uint(0xFFFFFFFF), ctypes.c_uint(0))


def cpu_clock_of(pid: int) -> int:
    """The id of another process's CPU clock, for time.clock_gettime_ns: exact, and out of that process's reach."""
    return (~pid << 3) | 2
