"""The parent's handle of one fork server: start it, ask for children, kill them by pidfd, learn how they ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.errors import HarnessError, MachineError
from cpu_codegen.sandbox.tiers import Plan, settled
from cpu_codegen.sandbox.watchdog import Watchdog

START_TIMEOUT_S = 60.0
_CONTROL_BYTES = 1 << 16
_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "HOME": "/nonexistent",
    "PATH": "/usr/bin:/bin",
    "MALLOC_ARENA_MAX": "2",  # each arena takes 64 MB of address space, which is limited: fifteen threads would have it all
    "OMP_NUM_THREADS": "1",  # a fork server with threads could not fork safely
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """What to fork: the kind, its limits, and the sockets that it gets."""

    kind: str
    memory_bytes: int
    cpu_s: float | None
    fds: tuple[int, ...]
    dumpable: bool = False
    core: int | None = None  # the only one that it may run on


@dataclass(slots=True)
class Child:
    """A sandboxed process. `pid` is its number as the server sees it, `host_pid` as we do."""

    pid: int
    pidfd: int
    host_pid: int

    def kill(self) -> None:
        """SIGKILL, without a race for the number."""
        with contextlib.suppress(ProcessLookupError, OSError):
            if self.pidfd < 0:  # no pidfds here; the number stays the child's until the server has waited for it
                os.kill(self.pid, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def has_ended(self, timeout_s: float = 0.0) -> bool:
        """True when it is dead, waiting for that at most so long."""
        if self.pidfd < 0:
            return _has_ended(self.pid, timeout_s)
        poll = select.poll()
        poll.register(self.pidfd, select.POLLIN)
        return bool(poll.poll(timeout_s * 1000))


@dataclass(frozen=True, slots=True)
class End:
    """How a child ended: wait status, CPU seconds, largest resident memory (the server's own pages included)."""

    status: int
    cpu_s: float
    max_rss_bytes: int

    @property
    def signal_name(self) -> str:
        """SIGSEGV and the like, "" when it exited by itself."""
        return signal.Signals(os.WTERMSIG(self.status)).name if os.WIFSIGNALED(self.status) else ""


class ForkServer:
    """One fork server process. Any thread may ask."""

    def __init__(self, plan: Plan, *, imports: Sequence[str] = ()) -> None:
        self._lock = threading.Lock()
        self._is_broken = False
        self._control, theirs = _control_pair()
        self._watchdog = _watchdog()
        self._process = subprocess.Popen(
            _command(theirs.fileno()),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=None if os.environ.get("CPU_CODEGEN_DEBUG") else subprocess.DEVNULL,
            env=_ENVIRONMENT,
            cwd="/",
            start_new_session=True,
        )
        theirs.close()
        self._control.settimeout(START_TIMEOUT_S)
        try:
            self.plan = settled(plan, self._ask({**plan.config(), "import": list(imports)}))
        except MachineError:
            self.close()
            raise
        except HarnessError as error:
            self.close()
            raise MachineError(
                f"the sandbox's fork server does not start ({error})", remedy="cpu-codegen doctor"
            ) from error
        self.imports = set(imports)

    def _ask(self, request: dict[str, Any], fds: Sequence[int] = ()) -> dict[str, Any]:
        return self._ask_for_fds(request, fds)[0]

    def _ask_for_fds(self, request: dict[str, Any], fds: Sequence[int] = ()) -> tuple[dict[str, Any], list[int]]:
        try:
            with self._lock:
                socket.send_fds(self._control, [json.dumps(request).encode()], list(fds))
                message, received, _, _ = socket.recv_fds(self._control, _CONTROL_BYTES, 16)
        except OSError as error:
            self._is_broken = True
            raise HarnessError(f"the fork server does not answer: {error}") from error
        if not message:
            self._is_broken = True
            raise HarnessError("the fork server ended")
        reply = json.loads(message)
        if "error" in reply:
            raise HarnessError(f"the fork server cannot fork: {reply['error']}")
        return reply, received

    def fork(self, children: Sequence[ChildSpec]) -> list[Child]:
        """Starts sandboxed children; their sockets may be closed here afterwards."""
        request = {
            "fork": [
                {
                    "kind": child.kind,
                    "memory_bytes": child.memory_bytes,
                    "cpu_s": child.cpu_s,
                    "fds": len(child.fds),
                    "dumpable": child.dumpable,
                    "core": child.core,
                }
                for child in children
            ]
        }
        reply, pidfds = self._ask_for_fds(request, [fd for child in children for fd in child.fds])
        if not pidfds:
            return self._watched([Child(pid, -1, pid) for pid in reply["pids"]], children)
        return [Child(pid, pidfd, _host_pid(pidfd)) for pid, pidfd in zip(reply["pids"], pidfds, strict=True)]

    def _watched(self, started: list[Child], specs: Sequence[ChildSpec]) -> list[Child]:
        """Where the kernel limits no memory, the watchdog does."""
        for child, spec in zip(started, specs, strict=True):
            if self._watchdog is not None:
                self._watchdog.watch(child.pid, spec.memory_bytes)
        return started

    def reap(self, children: Sequence[Child]) -> list[End]:
        """Kills the children and says how they ended."""
        for child in children:
            child.kill()
            if self._watchdog is not None:
                self._watchdog.forget(child.pid)
        reply = self._ask({"reap": [child.pid for child in children]})
        for child in children:
            if child.pidfd >= 0:
                os.close(child.pidfd)
        return [End(*end) for end in reply["ends"]]

    def load(self, module: str) -> None:
        """Imports a package before the next fork, so that forks need not."""
        if module not in self.imports:
            self._ask({"import": [module]})
            self.imports.add(module)

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """False once the server has ended, or has left a request without its answer (a late one would be taken for the next one's).

        The process alone does not tell: the first of a process namespace closes its sockets, then waits for its children, and can
        be waited for only after that. A retry in that time must not go to it again.
        """
        return not self._is_broken and self._process.poll() is None

    def close(self) -> None:
        """Ends the server, and all its children with it. May be called twice."""
        self._control.close()
        if self._watchdog is not None:
            self._watchdog.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _command(control_fd: int) -> list[str]:
    """-I would ignore PYTHONHASHSEED; -S -s -P with an environment of our own is as clean."""
    root = str(Path(__file__).resolve().parents[2])
    begin = f"from cpu_codegen.sandbox.inside.server import main; main({control_fd}, {root!r})"
    start = f"import sys; sys.path.insert(0, {root!r}); {begin}"
    return [sys.executable, "-s", "-S", "-P", "-B", "-c", start]


def _control_pair() -> tuple[socket.socket, socket.socket]:
    """Keeps messages apart. macOS has no SOCK_SEQPACKET for this, and datagrams of at most 2 kB unless asked for more."""
    if sys.platform != "darwin":
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    for end in pair:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _CONTROL_BYTES)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2 * _CONTROL_BYTES)
    return pair


def _watchdog() -> Watchdog | None:
    if sys.platform != "darwin":
        return None
    from cpu_codegen.sandbox import meters_macos

    return Watchdog(lambda pid: meters_macos.memory_bytes(pid)[0], lambda pid: os.kill(pid, signal.SIGKILL))


def _has_ended(pid: int, timeout_s: float) -> bool:
    """Without pidfds: asks the kernel's event queue, which every BSD has."""
    queue = select.kqueue()  # type: ignore[attr-defined, unused-ignore]
    try:
        event = select.kevent(pid, select.KQ_FILTER_PROC, select.KQ_EV_ADD, select.KQ_NOTE_EXIT)  # type: ignore[attr-defined, unused-ignore]
        return bool(queue.control([event], 1, timeout_s))
    except ProcessLookupError:
        return True
    finally:
        queue.close()


def _host_pid(pidfd: int) -> int:
    with open(f"/proc/self/fdinfo/{pidfd}") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("Pid:"))
