"""Live targets for an attack, fresh for each: a secret file, listeners of every kind, a process to kill; and what was hit.

Placeholders in a hostile program: @C@ the folder, @TCP@ and @UDP@ ports, @UX@ the path of a unix socket (and @UX@.dgram), @SPID@ a
process that must survive. With `uid` (root's programs run as somebody else) they belong to that user: the sandbox shall protect
them, not their owner. Covered: Linux. Not covered: the programs (attacks.py), the attempts of the proof (inside/attacker.py).
"""

from __future__ import annotations

import contextlib
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from typing import Any

from cpu_codegen.errors import MachineError

_BEAN_FOLDERS = ("/tmp", "/dev/shm", "/var/tmp", "/run/lock", "/")
_SNAPSHOT = tuple[str, int, int, int, int, tuple[str, ...]]


class Field:
    """Targets of one attack. A context manager; `close` removes them."""

    def __init__(self, *, with_victim: bool = True, uid: int | None = None) -> None:
        self.uid = uid
        self.folder = tempfile.mkdtemp(prefix="cpu-codegen-field-", dir=None if uid is None else _open_place())
        self.secret = "SECRET-" + secrets.token_hex(8)
        self.secret_path = os.path.join(self.folder, "secret.txt")
        self.unix_path = os.path.join(self.folder, "listener")
        self._victim = _victim(uid) if with_victim else None
        self._write_canary()
        self._sockets = dict(self._listeners())
        self._site = _site_state()
        self._before = self._snapshot()

    def __enter__(self) -> Field:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def victim_pid(self) -> int:
        """A process that nothing in the sandbox may touch; ours when there is no other."""
        return os.getpid() if self._victim is None else self._victim.pid

    def port(self, name: str) -> int:
        """The port of the "tcp" or "udp" listener."""
        return int(self._sockets[name].getsockname()[1])

    def fill(self, text: str) -> str:
        """The program with the placeholders filled in."""
        for mark, value in (
            ("@C@", self.folder),
            ("@TCP@", self.port("tcp")),
            ("@UDP@", self.port("udp")),
            ("@UX@", self.unix_path),
            ("@SPID@", self.victim_pid),
        ):
            text = text.replace(mark, str(value))
        return text

    def harm(self) -> list[str]:
        """What was changed, reached or hurt so far."""
        hit = [name for name, listener in self._sockets.items() if _was_reached(listener)]
        found = [f"network: {', '.join(hit)}"] if hit else []
        if self._snapshot() != self._before:
            found.append("canary: the folder was changed")
        found += [f"file left: {path}" for path in self._beans()]
        if _site_state() != self._site:
            found.append("site: a file was put into the Python installation")
        if self._victim is not None and not _is_well(self._victim):
            found.append("signal: the victim was killed or stopped")
        return found

    def close(self) -> None:
        """Ends the victim, closes the listeners, removes the files."""
        for listener in self._sockets.values():
            listener.close()
        if self._victim is not None:
            self._victim.kill()
            self._victim.communicate()
        for path in self._beans():
            with contextlib.suppress(OSError):
                os.unlink(path)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write_canary(self) -> None:
        """Open to everybody and the attacker's own, so that only the sandbox stands in the way."""
        with open(self.secret_path, "w") as file:
            file.write(self.secret)
        os.chmod(self.secret_path, 0o666)
        os.chmod(self.folder, 0o777)
        if self.uid is not None:
            os.chown(self.secret_path, self.uid, self.uid)
            os.chown(self.folder, self.uid, self.uid)

    def _listeners(self) -> Iterator[tuple[str, socket.socket]]:
        for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
            yield name, _bound(socket.socket(socket.AF_INET, kind), ("127.0.0.1", 0))
        yield "unix", _bound(socket.socket(socket.AF_UNIX), self.unix_path)
        yield "unix datagram", _bound(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM), self.unix_path + ".dgram")
        if sys.platform.startswith("linux"):
            yield "abstract", _bound(socket.socket(socket.AF_UNIX), f"\0redteam_{self.victim_pid}")

    def _snapshot(self) -> list[_SNAPSHOT]:
        entries: list[_SNAPSHOT] = []
        for name in sorted(os.listdir(self.folder)):
            path = os.path.join(self.folder, name)
            facts = os.lstat(path)
            attributes = tuple(os.listxattr(path, follow_symlinks=False)) if hasattr(os, "listxattr") else ()
            entries.append((name, facts.st_mode, facts.st_size, facts.st_mtime_ns, facts.st_nlink, attributes))
        return entries

    def _beans(self) -> list[str]:
        """Files that the hostile programs of the red team plant under this name."""
        paths = [os.path.join(folder, f"bean_{self.victim_pid}") for folder in _BEAN_FOLDERS]
        return [path for path in paths if os.path.exists(path)]


def _bound(listener: socket.socket, address: tuple[str, int] | str) -> socket.socket:
    listener.bind(address)
    if listener.type == socket.SOCK_STREAM:
        listener.listen(5)
    if isinstance(address, str) and not address.startswith("\0"):
        os.chmod(address, 0o777)
    return listener


def _was_reached(listener: socket.socket) -> bool:
    """A connection that waits to be accepted, or a datagram."""
    return bool(select.select([listener], [], [], 0)[0])


def _open_place() -> str:
    """A folder for temporary files that another uid can enter. Raises MachineError where there is none: then nothing is proved."""
    for place in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        above = [os.path.realpath(place)]
        while above[-1] != "/":
            above.append(os.path.dirname(above[-1]))
        if os.path.isdir(place) and all(os.stat(folder).st_mode & 0o001 for folder in above):
            return place
    raise MachineError("no temporary folder that everybody may enter: nothing can be proved", remedy="chmod 1777 /tmp")


def _victim(uid: int | None) -> subprocess.Popen[bytes]:
    """A process that waits for the end of its input, which we hold; of the attacker's uid, where that is not ours."""
    them: dict[str, Any] = {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}
    return subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True, **them)


def _is_well(victim: subprocess.Popen[bytes]) -> bool:
    if victim.poll() is not None:
        return False
    try:
        ended = os.waitid(os.P_PID, victim.pid, os.WEXITED | os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    if ended is not None:
        os.kill(victim.pid, signal.SIGCONT)
    return ended is None


def _site_state() -> list[tuple[str, int, int]]:
    """Files that would run in every later Python."""
    folders = {sysconfig.get_path(name) for name in ("stdlib", "purelib")}
    paths = [
        os.path.join(folder, f"{name}.py") for folder in sorted(folders) for name in ("sitecustomize", "usercustomize")
    ]
    return [(path, s.st_size, s.st_mtime_ns) for path in paths if os.path.exists(path) for s in (os.stat(path),)]
