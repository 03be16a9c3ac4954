"""The attacks by which a sandbox is proved. This file is never imported: its text is run as a candidate, like any hostile program.

`attack` tries everything that a property forbids and says what succeeded. It does no harm where nothing is enforced: signal 0, an
empty datagram, files in a folder made for it. Calls that a filter answers with death are left to the hostile programs of the tests.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

Attempt = Callable[[], object]


def attack(targets: dict[str, Any]) -> dict[str, list[str]]:
    """Property → names of the attempts that succeeded. `targets`: secret, folder, tcp, udp, unix, victims."""
    properties: dict[str, dict[str, Attempt]] = {
        "reads": reads(targets["secret"], targets["folder"]),
        "hidden files": {"stat": lambda: os.stat(targets["secret"])},
        "writes": writes(targets["secret"], targets["folder"]),
        "network": network(targets),
        "processes": processes(),
        "signals": {f"kill {pid}": _with(os.kill, pid, 0) for pid in [*targets["victims"], os.getppid(), 1, -1]},
    }
    return {
        name: [word for word, attempt in attempts.items() if succeeds(attempt)] for name, attempts in properties.items()
    }


def succeeds(attempt: Attempt) -> bool:
    """False when the attempt raises."""
    try:
        attempt()
    except Exception:
        return False
    return True


def _with(function: Callable[..., object], *args: object) -> Attempt:
    return lambda: function(*args)


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(16)


def reads(secret: str, folder: str) -> dict[str, Attempt]:
    """Ways to a file outside the Python installation."""
    return {
        "open": _with(_read, secret),
        "open through /proc": _with(_read, "/proc/self/root" + secret),
        "list": _with(os.listdir, folder),
        "/etc/passwd": _with(_read, "/etc/passwd"),
        "own environment": _with(_read, "/proc/self/environ"),
        "parent's memory map": _with(_read, f"/proc/{os.getppid()}/maps"),
    }


def writes(secret: str, folder: str) -> dict[str, Attempt]:
    """Ways to change anything outside."""
    return {
        "create": _with(_create, folder + "/created"),
        "append": lambda: os.close(os.open(secret, os.O_WRONLY | os.O_APPEND)),
        "chmod": lambda: os.chmod(secret, 0o600),
        "utime": lambda: os.utime(secret, (0, 0)),
        "truncate": lambda: os.truncate(secret, 0),
        "xattr": lambda: os.setxattr(secret, "user.attack", b"x"),
        "rename": lambda: os.rename(secret, secret + ".renamed"),
        "link": lambda: os.link(secret, folder + "/linked"),
        "symlink": lambda: os.symlink("/", folder + "/symlinked"),
        "mkdir": lambda: os.mkdir(folder + "/made"),
        "unlink": lambda: os.unlink(secret),
        "shared memory": _with(_create, f"/dev/shm/cpu-codegen-attack-{os.getpid()}"),
        "memfd": lambda: os.memfd_create("attack"),
    }


def _create(path: str) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)


def network(targets: dict[str, Any]) -> dict[str, Attempt]:
    """Ways to talk to live listeners of every family."""
    return {
        "tcp": lambda: socket.create_connection(("127.0.0.1", targets["tcp"]), 1).close(),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", targets["udp"])),
        "unix": lambda: socket.socket(socket.AF_UNIX).connect(targets["unix"]),
        "datagram pair": lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto(
            b"", targets["unix"] + ".dgram"
        ),
        "listen": lambda: socket.create_server(("127.0.0.1", 0)).close(),
    }


def processes() -> dict[str, Attempt]:
    """Ways to a second process."""
    return {
        "fork": _fork,
        "spawn": lambda: os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0),
    }


def _fork() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
