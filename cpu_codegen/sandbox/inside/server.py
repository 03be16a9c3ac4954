"""The fork server: forks sandboxed children on request. Trusted, small, one thread, holds no secrets.

It talks to the parent over one SOCK_SEQPACKET socket; the program texts never pass through it. Requests (JSON):

    {"fork": [{"kind", "memory_bytes", "cpu_s", "dumpable", "core", "fds": how many of the passed ones}, …]} + fds
                                → {"pids": [...]} + one pidfd each
    {"reap": [pid, …]}          → {"ends": [[status, cpu_s, rss], …]}
    {"import": [module, …]}     → {"done": true}

Kinds: candidate, checker, probe, parser. It ends when the parent's end of the socket closes, and its children with it.
"""

from __future__ import annotations

import _sitebuiltins
import builtins
import functools
import gc
import importlib
import io
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location
from typing import Any, Protocol

from cpu_codegen.sandbox.inside import candidate, checker, outline, probe, semaphores

# What most programs import. Every page of it makes every fork dearer, so what few ask for is left to them: threading runs a
# handler in every child that is forked (0.5 ms of about 1.4), hashlib maps OpenSSL.
_PRELOADED = """
math re collections itertools functools heapq bisect string random statistics decimal fractions datetime copy operator typing
dataclasses enum array cmath numbers abc contextlib textwrap unicodedata calendar
""".split()
_FIRST_DATA_FD = 3
_PARKING_FD = 100  # above any number that the data sockets move to
_CONTROL_BYTES = 1 << 16
_MAX_FDS = 16
_FORK_PATIENCE_S, _FORK_PAUSE_S = 5.0, 0.05

_CHILDREN: dict[str, Callable[[list[int]], None]] = {
    "candidate": lambda fds: candidate.serve(fds[0]),
    "checker": lambda fds: checker.serve(fds[0], fds[1:]),
    "probe": lambda fds: probe.serve(fds[0]),
    "parser": lambda fds: outline.serve(fds[0]),
}


class Isolation(Protocol):
    """What a system's file (linux.py, macos.py) offers: applied to the server when made, `apply` puts the layers on a child."""

    def facts(self) -> dict[str, Any]:
        """What holds, for the parent."""

    def measure_itself(self) -> None:
        """Notes what the interpreter itself uses."""

    def apply(self, child: dict[str, Any], move_fds: Callable[[], list[int]]) -> list[int]:
        """Every layer; the data sockets' new numbers."""

    def handles(self, pids: Sequence[int]) -> list[int]:
        """A pidfd for each child, where there are any."""

    def after_the_last_child(self) -> None:
        """Leaves nothing for the next."""


class OnlyPackages:
    """A finder of the packages that candidates may import besides the standard library, without showing their neighbours.

    No MetaPathFinder by name: that class lives in importlib.abc, which imports tempfile, pathlib and urllib with it.
    """

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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's signals are the parent's business
    control = socket.socket(fileno=control_fd)
    config = json.loads(control.recv(_CONTROL_BYTES))
    for name in [*_PRELOADED, *config["import"]]:
        importlib.import_module(name)
    sys.path[:] = [entry for entry in sys.path if entry and os.path.abspath(entry) != package_root]
    sys.meta_path.append(OnlyPackages(config["packages"]))
    _give_what_programs_expect()
    server = Server(control, config)
    candidate.note_modules()
    gc.collect()
    gc.freeze()
    control.sendall(json.dumps(server.facts()).encode())
    server.run()


def _give_what_programs_expect() -> None:
    """What `site` would have made, which is left out (-S), a standard output that takes any character, locks without files."""
    semaphores.install()
    for name in ("exit", "quit"):
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


class Server:
    """Prepared layers, and the loop that forks."""

    def __init__(self, control: socket.socket, config: dict[str, Any]) -> None:
        self.control = control
        self.isolation = isolation_here(config)
        self.living: set[int] = set()

    def facts(self) -> dict[str, Any]:
        """The server is ready, and what of its isolation holds."""
        return {"ready": os.getpid(), **self.isolation.facts()}

    def run(self) -> None:
        """One request after the other until the parent is gone."""
        while True:
            message, fds, _, _ = socket.recv_fds(self.control, _CONTROL_BYTES, _MAX_FDS)
            if not message:
                self._end_children()
                return
            request = json.loads(message)
            if "fork" in request:
                self._fork_or_explain(request["fork"], fds)
            elif "reap" in request:
                self.control.sendall(json.dumps({"ends": [self._reap(pid) for pid in request["reap"]]}).encode())
            else:
                for name in request["import"]:
                    importlib.import_module(name)
                self.isolation.measure_itself()
                gc.freeze()
                self.control.sendall(b'{"done":true}')

    def _end_children(self) -> None:
        """The parent is gone. On Linux the kernel does this too, even when we are killed."""
        for pid in self.living:
            os.kill(pid, signal.SIGKILL)

    def _fork_or_explain(self, children: list[dict[str, Any]], fds: list[int]) -> None:
        """All of them or none, so that nobody is left who would never be reaped."""
        pids: list[int] = []
        handles: list[int] = []
        answer: dict[str, Any] = {"pids": pids}
        try:
            self._fork_all(children, fds, pids)
            handles = self.isolation.handles(pids)
        except OSError as error:
            answer = {"error": str(error)}
            for pid in pids:
                self._reap(pid)
        for fd in fds:
            os.close(fd)
        socket.send_fds(self.control, [json.dumps(answer).encode()], handles)
        for fd in handles:
            os.close(fd)

    def _fork_all(self, children: list[dict[str, Any]], fds: list[int], pids: list[int]) -> None:
        rest = list(fds)
        for child in children:
            own, rest = rest[: child["fds"]], rest[child["fds"] :]
            pids.append(self._fork(child, own))

    def _fork(self, child: dict[str, Any], fds: list[int]) -> int:
        pid = _patient_fork()
        if pid == 0:
            try:
                own = self._isolate(child, fds)
                _CHILDREN[child["kind"]](own)
            finally:
                os._exit(70)
        self.living.add(pid)
        return pid

    def _reap(self, pid: int) -> list[Any]:
        """How a child ended. The parent has killed it; should that have failed, we may, being of the same uid."""
        os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        self.living.discard(pid)
        if not self.living:
            self.isolation.after_the_last_child()
        return [status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024]

    def _isolate(self, child: dict[str, Any], fds: list[int]) -> list[int]:
        """A session of its own, then every layer. Returns the data sockets' new numbers."""
        os.setsid()
        os.dup2(1, 2)  # with --debug the server's standard error is the user's terminal
        return self.isolation.apply(child, functools.partial(_move_fds, fds))


def _patient_fork() -> int:
    """Where a neighbour's threads have used up what the machine allows, they are gone in a few seconds: they end with it."""
    ends = time.monotonic() + _FORK_PATIENCE_S
    while True:
        try:
            return os.fork()
        except BlockingIOError:
            if time.monotonic() > ends:
                raise
            time.sleep(_FORK_PAUSE_S)


def isolation_here(config: dict[str, Any]) -> Isolation:
    """This system's layers, put on the calling process."""
    if sys.platform == "darwin":
        from cpu_codegen.sandbox.inside import macos

        return macos.Isolation(config)
    from cpu_codegen.sandbox.inside import linux

    return linux.Isolation(config)


def _move_fds(fds: list[int]) -> list[int]:
    parked = [os.dup2(fd, _PARKING_FD + index, inheritable=False) for index, fd in enumerate(fds)]
    return [os.dup2(fd, _FIRST_DATA_FD + index, inheritable=False) for index, fd in enumerate(parked)]
