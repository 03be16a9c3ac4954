"""Isolation on Linux, from the fork server's side: what is done once for the server, and what each child puts on.

Order matters: namespaces need powers, powers are dropped before Landlock's ruleset is made, seccomp comes last in the child.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox.layers import kernel, landlock, namespaces, privileges, rlimits, seccomp

if sys.platform != "win32":
    import fcntl


@dataclass(frozen=True, slots=True)
class Layers:
    """Landlock's ruleset and seccomp's filter, made once."""

    ruleset: int | None
    filter: bytes | None

    @classmethod
    def prepared(cls, config: dict[str, Any], scratch: str = "") -> Layers:
        """Those that are asked for; with `scratch`, writing is allowed there."""
        return cls(
            ruleset=landlock.prepare(config["readable"], scratch, hidden=config["hidden"])
            if config["landlock"]
            else None,
            filter=seccomp.build(scratch=bool(scratch)) if config["seccomp"] else None,
        )


class Isolation:
    """Applied to the calling process when made; `apply` puts the layers on a child."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.pid = os.getpid()
        self._statm = open("/proc/self/statm")  # noqa: SIM115 - kept: /proc is out of reach once the file tree is our own
        self.processes = rlimits.process_limit(_future_uid())
        _be_the_first_to_go()
        self.namespaces = config["namespaces"] and _enter_namespaces(config)
        self.uid = _drop_powers(config)
        self.layers = Layers.prepared(config)
        self.scratch_layers = Layers.prepared(config, scratch=namespaces.SCRATCH) if config["scratch_bytes"] else None
        import resource  # noqa: F401 - for rlimits.apply, so that no child has to load it

        self.measure_itself()

    def facts(self) -> dict[str, Any]:
        """What was tried and holds; which layers the children put on is the parent's to know."""
        return {"namespaces": self.namespaces, "uid": self.uid}

    def measure_itself(self) -> None:
        """Notes what the interpreter itself maps, which is not a program's."""
        self._statm.seek(0)
        self.base_bytes = int(self._statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

    def apply(self, child: dict[str, Any], move_fds: Callable[[], list[int]]) -> list[int]:
        """Every layer, in the order in which each still can be applied. Returns the data sockets' new numbers."""
        privileges.die_with(self.pid)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1 if child.get("dumpable") else 0)
        if child["core"] is not None:
            os.sched_setaffinity(0, {child["core"]})
        privileges.no_new_privileges()
        layers = self._layers_of(child)
        if layers.ruleset is not None:
            landlock.restrict(layers.ruleset)
        own = move_fds()
        kernel.close_all_except([0, 1, 2, *own])
        file_bytes = self.config["scratch_bytes"] if layers is self.scratch_layers else 0
        limit = child["memory_bytes"] + self.base_bytes
        rlimits.apply(memory_bytes=limit, cpu_s=child["cpu_s"], processes=self.processes, file_bytes=file_bytes)
        if layers.filter is not None:
            seccomp.load(layers.filter)
        return own

    def _layers_of(self, child: dict[str, Any]) -> Layers:
        if self.scratch_layers is None or child["kind"] != "candidate":
            return self.layers
        os.chdir(namespaces.SCRATCH)
        os.environ["TMPDIR"] = namespaces.SCRATCH
        return self.scratch_layers

    def handles(self, pids: Sequence[int]) -> list[int]:
        """A pidfd for each child, for the parent."""
        return [os.pidfd_open(pid) for pid in pids]

    def after_the_last_child(self) -> None:
        """Nothing is left for the next program: not in the scratch folder, not in the flags of standard input and output, which
        all children share as one open file.
        """
        for fd in (0, 1):
            fcntl.fcntl(fd, fcntl.F_SETFL, 0)
        if self.scratch_layers is not None:
            _empty(namespaces.SCRATCH)


def _be_the_first_to_go() -> None:
    """When memory runs out, the kernel ends a program of ours before any of the user's."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def _future_uid() -> int:
    return privileges.NOBODY if os.geteuid() == 0 else os.geteuid()


def _enter_namespaces(config: dict[str, Any]) -> bool:
    """Tried in a child first: a failure half way in would leave a process of no use."""
    capabilities = privileges.effective_capabilities()
    enter = functools.partial(
        namespaces.enter,
        config["readable"],
        hidden=config["hidden"],
        capabilities=capabilities,
        scratch_bytes=config["scratch_bytes"],
    )
    if not _works_in_a_child(enter):
        return False
    enter()
    return True


def _drop_powers(config: dict[str, Any]) -> int | None:
    """Root becomes nobody where nobody can read the interpreter, and loses all capabilities in any case. Returns the new uid."""
    uid = None
    if os.geteuid() == 0 and config["drop_uid"] and _works_in_a_child(_read_python_as_nobody):
        privileges.drop_uid()
        uid = privileges.NOBODY
    if os.geteuid() == 0 or privileges.effective_capabilities():
        privileges.drop_capabilities()
    return uid


def _read_python_as_nobody() -> None:
    privileges.drop_uid()
    for path in (os.__file__, socket.__file__):
        with open(path, "rb") as file:
            file.read(1)


def _works_in_a_child(action: Callable[[], None]) -> bool:
    """Does the action succeed in a process that ends after it?"""
    pid = os.fork()
    if pid == 0:
        try:
            action()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(pid, 0)[1] == 0


def _empty(folder: str) -> None:
    """Removes all below a folder. A program may have made folders that nobody may enter, and deeper ones than a path is long:
    so what lies in a folder is moved up, and no path has more than two names.
    """
    mark, number = os.urandom(8).hex(), itertools.count()
    while entries := list(os.scandir(folder)):
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)
                continue
            os.chmod(entry.path, 0o700)
            for inner in list(os.scandir(entry.path)):
                if inner.is_dir(follow_symlinks=False):
                    os.chmod(inner.path, 0o700)  # to be moved, a folder must be writable itself
                os.rename(inner.path, f"{folder}/{mark}-{next(number)}")
            os.rmdir(entry.path)
