"""The fork server: forks sandboxed children on request. Trusted, small, one thread, holds no secrets.

It talks to the parent over one SOCK_SEQPACKET socket; the program texts never pass through it. Requests (JSON):

    {"fork": [{"kind", "memory_bytes", "cpu_s", "fds": how many of the passed ones}, …]} + fds → {"pids": [...]} + one pidfd each
    {"reap": [pid, …]}                                                                        → {"ends": [[status, cpu_s, rss], …]}
    {"import": [module, …]}                                                                   → {"done": true}

Kinds: candidate, checker, probe, parser. It ends when the parent's end of the socket closes, and its children with it.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any

from cpu_codegen.sandbox.inside import candidate, checker, outline, probe
from cpu_codegen.sandbox.layers import kernel, landlock, namespaces, privileges, rlimits, seccomp

_PRELOADED = """
math re collections itertools functools heapq bisect string random statistics decimal fractions datetime copy operator typing
dataclasses enum hashlib array queue cmath numbers abc contextlib textwrap unicodedata calendar shutil subprocess threading
""".split()
_FIRST_DATA_FD = 3
_PARKING_FD = 100  # above any number that the data sockets move to
_CONTROL_BYTES = 1 << 16
_MAX_FDS = 16

_CHILDREN: dict[str, Callable[[list[int]], None]] = {
    "candidate": lambda fds: candidate.serve(fds[0]),
    "checker": lambda fds: checker.serve(fds[0], fds[1:]),
    "probe": lambda fds: probe.serve(fds[0]),
    "parser": lambda fds: outline.serve(fds[0]),
}


class OnlyPackages(MetaPathFinder):
    """Finds the packages that candidates may import besides the standard library, without showing their neighbours."""

    def __init__(self, packages: dict[str, str]) -> None:
        self.packages = packages

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> ModuleSpec | None:
        """A spec for an allowed top-level package; submodules are found below it in the usual way."""
        folder = self.packages.get(fullname)
        if folder is None:
            return None
        return spec_from_file_location(fullname, f"{folder}/__init__.py", submodule_search_locations=[folder])


def main(control_fd: int, package_root: str) -> None:
    """Reads the configuration, prepares the layers, serves until the socket closes."""
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(_CONTROL_BYTES))
    for name in [*_PRELOADED, *config["import"]]:
        importlib.import_module(name)
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != package_root]
    sys.meta_path.append(OnlyPackages(config["packages"]))
    server = Server(control, config)
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps(server.facts()).encode())
    server.run()


@dataclass(frozen=True, slots=True)
class Layers:
    """Landlock's ruleset and seccomp's filter, made once."""

    ruleset: int | None
    filter: bytes | None

    @classmethod
    def prepared(cls, config: dict[str, Any], scratch: str = "") -> Layers:
        """Those that are asked for; with `scratch`, writing is allowed there."""
        return cls(
            ruleset=landlock.prepare(config["readable"], scratch) if config["landlock"] else None,
            filter=seccomp.build(scratch=bool(scratch)) if config["seccomp"] else None,
        )


class Server:
    """Prepared layers, and the loop that forks."""

    def __init__(self, control: socket.socket, config: dict[str, Any]) -> None:
        self.control = control
        self.config = config
        self.pid = os.getpid()
        self._statm = open("/proc/self/statm")  # noqa: SIM115 - kept: /proc is out of reach once the file tree is our own
        self.processes = rlimits.process_limit(_future_uid())
        self.namespaces = config["namespaces"] and _enter_namespaces(config)
        self.uid = _drop_powers(config)
        self.layers = Layers.prepared(config)
        self.scratch_layers = Layers.prepared(config, scratch=namespaces.SCRATCH) if config["scratch_bytes"] else None
        self.living: set[int] = set()
        self.base_bytes = self._address_space_bytes()

    def facts(self) -> dict[str, Any]:
        """What was tried and holds; which layers the children put on is the parent's to know."""
        return {"ready": self.pid, "namespaces": self.namespaces, "uid": self.uid}

    def _address_space_bytes(self) -> int:
        self._statm.seek(0)
        return int(self._statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")

    def run(self) -> None:
        """One request after the other until the parent is gone."""
        while True:
            message, fds, _, _ = socket.recv_fds(self.control, _CONTROL_BYTES, _MAX_FDS)
            if not message:
                return
            request = json.loads(message)
            if "fork" in request:
                self._fork_or_explain(request["fork"], fds)
            elif "reap" in request:
                self.control.sendall(json.dumps({"ends": [self._reap(pid) for pid in request["reap"]]}).encode())
            else:
                for name in request["import"]:
                    importlib.import_module(name)
                self.base_bytes = self._address_space_bytes()
                gc.freeze()
                self.control.sendall(b'{"done":true}')

    def _fork_or_explain(self, children: list[dict[str, Any]], fds: list[int]) -> None:
        try:
            self._fork_all(children, fds)
        except OSError as error:
            self.control.sendall(json.dumps({"error": str(error)}).encode())

    def _fork_all(self, children: list[dict[str, Any]], fds: list[int]) -> None:
        pids: list[int] = []
        rest = list(fds)
        for child in children:
            own, rest = rest[: child["fds"]], rest[child["fds"] :]
            pids.append(self._fork(child, own))
        for fd in fds:
            os.close(fd)
        pidfds = [os.pidfd_open(pid) for pid in pids]
        socket.send_fds(self.control, [json.dumps({"pids": pids}).encode()], pidfds)
        for fd in pidfds:
            os.close(fd)

    def _fork(self, child: dict[str, Any], fds: list[int]) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                own = self._isolate(child, fds)
                _CHILDREN[child["kind"]](own)
            finally:
                os._exit(70)
        self.living.add(pid)
        return pid

    def _reap(self, pid: int) -> list[Any]:
        """How a child ended. After the last one nothing is left in the scratch folder for the next."""
        _, status, usage = os.wait4(pid, 0)
        self.living.discard(pid)
        if self.scratch_layers is not None and not self.living:
            _empty(namespaces.SCRATCH)
        return [status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]

    def _isolate(self, child: dict[str, Any], fds: list[int]) -> list[int]:
        """Every layer, in the order in which each still can be applied. Returns the data sockets' new numbers."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.setsid()
        privileges.die_with(self.pid)
        kernel.prctl(kernel.PR_SET_DUMPABLE, 1 if child.get("dumpable") else 0)
        privileges.no_new_privileges()
        layers = self.layers
        if self.scratch_layers is not None and child["kind"] == "candidate":
            layers = self.scratch_layers
            os.chdir(namespaces.SCRATCH)
            os.environ["TMPDIR"] = namespaces.SCRATCH
        if layers.ruleset is not None:
            landlock.restrict(layers.ruleset)
        own = _move_fds(fds)
        kernel.close_all_except([0, 1, 2, *own])
        limit = child["memory_bytes"] + self.base_bytes  # what the interpreter itself maps is not the program's
        file_bytes = self.config["scratch_bytes"] if layers is self.scratch_layers else 0
        rlimits.apply(memory_bytes=limit, cpu_s=child["cpu_s"], processes=self.processes, file_bytes=file_bytes)
        if layers.filter is not None:
            seccomp.load(layers.filter)
        return own


def _future_uid() -> int:
    return privileges.NOBODY if os.geteuid() == 0 else os.geteuid()


def _enter_namespaces(config: dict[str, Any]) -> bool:
    """Tried in a child first: a failure half way in would leave a process of no use."""
    capabilities = privileges.effective_capabilities()
    enter = functools.partial(
        namespaces.enter, config["readable"], capabilities=capabilities, scratch_bytes=config["scratch_bytes"]
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


def _move_fds(fds: list[int]) -> list[int]:
    parked = [os.dup2(fd, _PARKING_FD + index, inheritable=False) for index, fd in enumerate(fds)]
    return [os.dup2(fd, _FIRST_DATA_FD + index, inheritable=False) for index, fd in enumerate(parked)]


def _empty(folder: str) -> None:
    """Removes all below a folder; a program may have made folders that nobody may enter."""
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)
            _empty(entry.path)
            os.rmdir(entry.path)
        else:
            os.unlink(entry.path)
