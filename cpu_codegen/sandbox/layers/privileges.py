"""Root's powers: dropped to an unprivileged uid, or, where that uid could not read the interpreter, all capabilities.

Without capabilities uid 0 is still the owner of root's files, so that case counts only together with Landlock and seccomp.
"""

from __future__ import annotations

import ctypes
import os

from cpu_codegen.sandbox.layers import kernel

NOBODY = 65534
_CAPABILITY_VERSION_3 = 0x20080522
_LAST_CAPABILITY = 63
_NOROOT_LOCKED = 0b11  # SECBIT_NOROOT and its lock: an exec as uid 0 gives nothing back


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def effective_capabilities() -> int:
    """The capabilities in force, as a bit mask."""
    header, data = _Header(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    kernel.checked(kernel.libc().capget(ctypes.byref(header), data), "capget")
    return int(data[0]) | int(data[3]) << 32


def drop_capabilities() -> None:
    """Gives up every capability for good."""
    if effective_capabilities() == 0:
        return
    for capability in range(_LAST_CAPABILITY + 1):
        try:
            kernel.prctl(kernel.PR_CAPBSET_DROP, capability)
        except OSError:  # beyond the kernel's last capability, or not permitted: then there is nothing to drop
            break
    for option, value in (
        (kernel.PR_SET_SECUREBITS, _NOROOT_LOCKED),
        (kernel.PR_CAP_AMBIENT, kernel.PR_CAP_AMBIENT_CLEAR_ALL),
    ):
        try:
            kernel.prctl(option, value)
        except OSError:  # needs CAP_SETPCAP; without it exec still gains nothing under no_new_privs
            continue
    header, data = _Header(_CAPABILITY_VERSION_3, 0), (ctypes.c_uint32 * 6)()
    kernel.checked(kernel.libc().capset(ctypes.byref(header), data), "capset")
    if effective_capabilities() != 0:
        raise OSError("capabilities are still in force after capset")


def drop_uid(uid: int = NOBODY) -> None:
    """Becomes an unprivileged user for good."""
    os.setgroups([])
    if hasattr(os, "setresuid"):
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    else:  # macOS; as root these change all three
        os.setgid(uid)
        os.setuid(uid)


def no_new_privileges() -> None:
    """No exec gains anything from here on; Landlock and seccomp need it."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def die_with(parent_pid: int) -> None:
    """SIGKILL to the caller when its parent ends. To be set after a change of uid, which clears it."""
    import signal

    kernel.prctl(kernel.PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent_pid:  # it ended between fork and prctl
        os._exit(1)
