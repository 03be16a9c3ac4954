"""Landlock: which files may be read, no TCP, no signals or abstract sockets out of the sandbox. Needs no root.

Covered: ABI 1 to the newest; what an older ABI lacks is left to seccomp. Not covered by any ABI: chmod, utime, xattr, stat,
UDP and unix sockets with a path; seccomp closes these, except stat.
"""

from __future__ import annotations

import ctypes
import functools
import os
import struct
from collections.abc import Collection, Iterable

from cpu_codegen.sandbox.layers import kernel

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION_FLAG = 1
_RULE_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE, IOCTL_DEV = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14, 1 << 15
_RIGHTS_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
_ALL_RIGHTS = (1 << 16) - 1
_REMOVE_DIR, _REMOVE_FILE, _MAKE_DIR, _MAKE_FILE = 1 << 4, 1 << 5, 1 << 7, 1 << 8
_MOVE_BETWEEN_FOLDERS = 1 << 13
_RIGHTS_IN_SCRATCH = (READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE) | (
    _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_FILE | _MOVE_BETWEEN_FOLDERS
)
_RIGHTS_OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV
_BIND_AND_CONNECT_TCP = 3
_ABSTRACT_SOCKETS_AND_SIGNALS = 3
_NO_AUDIT_RECORDS = 1  # of what is denied: a program could fill the log; meant for "tools launching untrusted programs"


@functools.cache
def abi() -> int:
    """The kernel's Landlock version, 0 where there is none. Asked of the kernel itself: /sys may be hidden."""
    try:
        return kernel.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    except OSError:
        return 0


def prepare(readable: Iterable[str], scratch: str = "", *, hidden: Collection[str] = ()) -> int:
    """A ruleset (file descriptor) that allows reading below `readable` and nothing else. Built once, used at every fork.

    Not below `hidden` (real paths), unless a readable path lies there itself; names in it can be listed, as rules only add. Below
    `scratch`, where given, files and folders may also be made, written and removed.
    """
    version = abi()
    rights = _RIGHTS_BY_ABI.get(version, _ALL_RIGHTS)
    attributes = struct.pack("=Q", rights)
    if version >= 4:
        attributes += struct.pack("=Q", _BIND_AND_CONNECT_TCP)
    if version >= 6:
        attributes += struct.pack("=Q", _ABSTRACT_SOCKETS_AND_SIGNALS)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    ruleset = kernel.syscall(_CREATE, buffer, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    for path in readable:
        _allow_around(ruleset, path, hidden)
    if scratch:
        _allow(ruleset, scratch, rights & _RIGHTS_IN_SCRATCH)
    return ruleset


def _allow_around(ruleset: int, path: str, hidden: Collection[str]) -> None:
    """A folder that holds a hidden one is allowed entry by entry."""
    real = os.path.realpath(path)
    if not any(inner.startswith(real + os.sep) for inner in hidden):
        _allow(ruleset, path, READ_FILE | READ_DIR)
        return
    _allow(ruleset, real, READ_DIR)
    for entry in os.scandir(real):
        target = os.path.realpath(entry.path)
        if not any(target == inner or target.startswith(inner + os.sep) for inner in hidden):
            _allow_around(ruleset, target, hidden)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:  # a path that we cannot see needs no permission
        return
    try:
        rights = rights if os.path.isdir(path) else rights & _RIGHTS_OF_FILES
        rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, fd), 12)
        kernel.syscall(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_RULE_PATH_BENEATH), rule, ctypes.c_uint32(0))
    finally:
        os.close(fd)


def restrict(ruleset: int) -> None:
    """Puts the calling process under the ruleset for ever. Needs no_new_privs."""
    kernel.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(_NO_AUDIT_RECORDS if abi() >= 7 else 0))
