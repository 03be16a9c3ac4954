"""Resource limits of one process. Not covered: sums over processes (there is one process) and RSS of shared pages."""

from __future__ import annotations

import sys

MAX_OPEN_FILES = 64
MAX_THREADS = 256


def apply(*, memory_bytes: int, cpu_s: float | None, processes: int | None) -> None:
    """Limits memory, CPU time, files and threads. `cpu_s` None: no limit, because one makes the process clock coarse.

    `processes` counts all processes of the uid, so the caller adds what runs already. macOS refuses AS and DATA.
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

    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_FSIZE", 0)
    limit("RLIMIT_MEMLOCK", 0)
    limit("RLIMIT_MSGQUEUE", 0)
    limit("RLIMIT_NOFILE", MAX_OPEN_FILES)
    limit("RLIMIT_AS", memory_bytes)
    limit("RLIMIT_DATA", memory_bytes)
    if cpu_s is not None:
        limit("RLIMIT_CPU", max(1, round(cpu_s)), max(1, round(cpu_s)) + 1)
    if processes is not None:
        limit("RLIMIT_NPROC", processes)
