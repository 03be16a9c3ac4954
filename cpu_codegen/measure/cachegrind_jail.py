"""Puts itself into a world of few files, no network and no other processes, gives up its powers, and becomes valgrind.

Run as `python -m cpu_codegen.measure.cachegrind_jail CONFIG` (JSON: "readable", "command", "environment", "memory_bytes",
"cpu_s"). valgrind must start programs and look into /proc, which the sandbox of candidates forbids; so here namespaces
stand in for Landlock and seccomp. Any layer that cannot be put on is exit code 71, and nothing was run.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from typing import Any

from cpu_codegen.sandbox.layers import kernel, namespaces, privileges, rlimits

REFUSED = 71
_CLONE_NEWPID = 0x20000000
_FILES = 256
_PROCESSES = 64  # more than run now; nothing else here keeps a program from making them without end
_NOSUID_NODEV_NOEXEC = 2 | 4 | 8


def main(config: dict[str, Any]) -> int:
    """Waits for the child, which is process 1 of its world: when it ends, all that it started ends."""
    parent = os.getppid()
    processes = rlimits.process_limit(privileges.NOBODY if config["drop_uid"] else os.geteuid(), _PROCESSES)
    try:
        privileges.die_with(parent)
        namespaces.enter(config["readable"], capabilities=privileges.effective_capabilities())
        kernel.checked(kernel.libc().unshare(ctypes.c_int(_CLONE_NEWPID)), "unshare")
    except OSError as error:
        print(error, file=sys.stderr)
        return REFUSED
    child = os.fork()
    if child == 0:
        _become(config, processes)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF


def _become(config: dict[str, Any], processes: int) -> None:
    try:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, int(signal.SIGKILL))
        _mount("proc", "/proc")
        _mount("tmpfs", "/tmp", "size=1m,mode=1777")  # valgrind writes its command line there
        if config["drop_uid"]:
            privileges.drop_uid()
        privileges.drop_capabilities()
        privileges.no_new_privileges()
        _limit(config["memory_bytes"], config["cpu_s"], processes)
        os.execve(config["command"][0], config["command"], config["environment"])
    except OSError as error:
        print(error, file=sys.stderr)
    finally:
        os._exit(REFUSED)


def _mount(kind: str, place: str, data: str | None = None) -> None:
    flags = ctypes.c_ulong(_NOSUID_NODEV_NOEXEC)
    words = (kind.encode(), place.encode(), kind.encode(), flags, data.encode() if data else None)
    kernel.checked(kernel.libc().mount(*words), f"mount {place}")


def _limit(memory_bytes: int, cpu_s: int, processes: int) -> None:
    """Not by the sandbox's rlimits: valgrind keeps descriptors of its own above the program's."""
    import resource

    for kind, limit in (
        (resource.RLIMIT_CORE, 1),  # not 0, see the sandbox's rlimits
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_FSIZE, 1 << 20),
        (resource.RLIMIT_NOFILE, _FILES),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, cpu_s),
    ):
        resource.setrlimit(kind, (limit, limit))


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
