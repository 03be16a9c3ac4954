"""Namespaces of our own: a file tree that holds the readable paths and nothing else, no network, no shared memory of others.

Root with its powers unshares directly; anybody else through a user namespace, where the system allows one. Done once by the fork
server, before powers are dropped; costs the forks nothing. Hides files even from stat, which Landlock does not. Not covered:
processes (no pid namespace: seccomp forbids new ones) and the `bwrap` binary, which would do the same.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable

from cpu_codegen.sandbox.layers import kernel

CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
_ALL_BUT_USER = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET

_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT = 1, 2, 4, 8, 32
_MS_BIND, _MS_REC, _MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
_MNT_DETACH = 2
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_CAP_SYS_ADMIN = 21
_SCRATCH_FILES = 4096
_BASES = (
    "/tmp",
    "/var/tmp",
    "/run",
    "/mnt",
)  # one that exists: a tmpfs of our own is mounted on it, which nobody else sees
# Flags that a user namespace may not take away: what statvfs calls them → what mount calls them.
_KEPT_FLAGS = {
    2: 2,
    4: 4,
    8: 8,
    1024: 1024,
    2048: 2048,
    4096: 1 << 21,
}  # nosuid nodev noexec noatime nodiratime relatime


SCRATCH = "/scratch"


def enter(readable: Iterable[str], *, hidden: Iterable[str] = (), capabilities: int, scratch_bytes: int = 0) -> None:
    """Puts the calling process into a world of the readable paths. Raises OSError where the system does not allow it.

    Folders in `hidden` (real paths) are empty there, but for what of `readable` lies in them. With `scratch_bytes` there is a
    writable folder SCRATCH besides, in memory, whose size the kernel enforces. After a failure the process may be half way in, so
    that it is of no further use.
    """
    if capabilities >> _CAP_SYS_ADMIN & 1:
        _unshare(_ALL_BUT_USER)
    else:
        uid, gid = os.geteuid(), os.getegid()
        _unshare(_ALL_BUT_USER | CLONE_NEWUSER)
        _map_ids(uid, gid)
    _mount(None, "/", None, _MS_REC | _MS_PRIVATE)
    _build(set(readable), set(hidden) - set(readable), scratch_bytes)


def _unshare(flags: int) -> None:
    kernel.checked(kernel.libc().unshare(ctypes.c_int(flags)), "unshare")


def _map_ids(uid: int, gid: int) -> None:
    """The same numbers inside as outside; all others do not exist."""
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _build(paths: set[str], hidden: set[str], scratch_bytes: int) -> None:
    """A tmpfs with the paths bound into it becomes the root; the old root is left behind."""
    base = next(path for path in _BASES if os.path.isdir(path))
    sources = {path: os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC) for path in paths}
    _mount("tmpfs", base, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=1m")
    emptied: list[str] = []
    for path in sorted(paths | hidden):  # a folder before what lies in it
        if path in sources:
            _bind(sources[path], base + path, strict=scratch_bytes > 0)
        elif os.path.isdir(base + path):
            _mount("tmpfs", base + path, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=755,size=64k")
            emptied.append(base + path)
    for place in emptied:
        _mount(None, place, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)
    for source in sources.values():
        os.close(source)
    if scratch_bytes:
        os.mkdir(base + SCRATCH)
        size = f"mode=777,size={scratch_bytes},nr_inodes={_SCRATCH_FILES}"
        _mount("tmpfs", base + SCRATCH, "tmpfs", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC, size)
    os.chdir(base)
    kernel.syscall(_PIVOT_ROOT[kernel.machine()], ctypes.c_char_p(b"."), ctypes.c_char_p(b"."))
    kernel.checked(kernel.libc().umount2(b".", ctypes.c_int(_MNT_DETACH)), "umount2")
    os.chdir("/")
    _mount(None, "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _MS_NOSUID | _MS_NODEV)


def _bind(source: int, place: str, *, strict: bool) -> None:
    """One file, folder or symbolic link, read-only. `strict`: where that cannot be, nothing is mounted."""
    if os.path.lexists(place):  # inside a folder that was bound already
        return
    os.makedirs(os.path.dirname(place), mode=0o755, exist_ok=True)
    mode = os.fstat(source).st_mode
    if stat.S_ISLNK(mode):
        os.symlink(os.readlink("", dir_fd=source), place)
        return
    if stat.S_ISDIR(mode):
        os.mkdir(place, 0o755)
    else:
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT, 0o644))
    _mount(f"/proc/self/fd/{source}", place, None, _MS_BIND | _MS_REC)
    has = os.statvfs(place).f_flag
    flags = sum(mount_flag for flag, mount_flag in _KEPT_FLAGS.items() if has & flag)
    try:
        _mount(None, place, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags)
    except OSError:  # a special file system may refuse; without a scratch folder seccomp denies writing everywhere
        if strict:
            raise


def _mount(source: str | None, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    words = [None if word is None else word.encode() for word in (source, target, kind, data)]
    result = kernel.libc().mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])
    kernel.checked(result, f"mount {target}")
