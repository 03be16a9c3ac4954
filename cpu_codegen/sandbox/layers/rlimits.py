"""Resource limits of one process. Not covered: sums over processes (there is one process) and RSS of shared pages."""

from __future__ import annotations

import os
import sys

_MORE_THREADS = 1024  # the user's other programs may start some meanwhile
MAX_OPEN_FILES = 64
MAX_PENDING_SIGNALS = 256


def process_limit(uid: int, more: int = _MORE_THREADS) -> int:
    """RLIMIT_NPROC counts all processes and threads of a uid, so the limit is what runs now and so many more."""
    count = 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue
    return count + more


def apply(*, memory_bytes: int, cpu_s: float | None, processes: int | None, file_bytes: int = 0) -> None:
    """Limits memory, CPU time, files and threads. `cpu_s` None: no limit, because one makes the process clock coarse.

    `processes` counts all processes of the uid (see `process_limit`); root itself is exempt. macOS refuses AS and DATA.
    """
    if sys.platform == "win32":
        return
    import resource

    def limit(name: str, soft: int, hard: int | None = None) -> None:
        kind = getattr(resource, name, None)
        if kind is None:
            return
        ceiling = resource.getrlimit(kind)[1]
        wanted = soft if hard is None else hard
        allowed = wanted if ceiling == resource.RLIM_INFINITY else min(wanted, ceiling)
        try:
            resource.setrlimit(kind, (min(soft, allowed), allowed))
        except (ValueError, OSError):
            if sys.platform != "darwin":
                raise

    limit("RLIMIT_CORE", 1)  # not 0: where dumps go to a program (apport, systemd-coredump), only 1 stops it
    limit("RLIMIT_FSIZE", file_bytes)
    limit("RLIMIT_MEMLOCK", 0)
    limit("RLIMIT_MSGQUEUE", 0)
    limit("RLIMIT_NOFILE", MAX_OPEN_FILES)
    limit(
        "RLIMIT_SIGPENDING", MAX_PENDING_SIGNALS
    )  # timers and queued signals come out of one store for all of a user's processes
    limit("RLIMIT_AS", memory_bytes)
    limit("RLIMIT_DATA", memory_bytes)
    limit("RLIMIT_STACK", memory_bytes)  # as EvalPlus: 8 MB end a memoized recursion 15,000 deep, which recurses in C
    if cpu_s is not None:
        limit("RLIMIT_CPU", max(1, round(cpu_s)), max(1, round(cpu_s)) + 1)
    if processes is not None:
        limit("RLIMIT_NPROC", processes)
