"""`--max-ram`: the engine's process inside a limit of memory, so that a larger machine can stand in for a smaller device.

Tried in this order: a control group of our own (cgroup v2, then v1), a scope of systemd's, RLIMIT_AS. A control group counts what
the engine itself uses: its own memory, and the pages of files that it reads; those it gives back under pressure, so a model that is
mapped and larger than the limit is read from disk again and again, as it would be on the device. RLIMIT_AS counts addresses, mapped
files among them: it is no limit of RAM, and the words say so. Every enclosure is tried on a child before it is trusted.

Not covered: whether a model fits (plan/fit.py), what a death by the limit is called (diagnosis.py).
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.sizes import format_bytes

LEAST_BYTES = 64_000_000
"""Below this not even the interpreter with llama.cpp starts."""

PARAMETER = (
    "the kernel's memory cgroup is off: take cgroup_disable=memory off its command line "
    "(Raspberry Pi: add cgroup_enable=memory to cmdline.txt) and reboot for an exact limit"
)
_PREFIX = "cpu-codegen-"
_ENTER = 'echo $$ > "$0" && exec "$@"'
_PROBE_S = 10.0
_numbers = itertools.count()


@dataclass(slots=True)
class Enclosure:
    """One limit in force. `enter` goes before the engine's command; `how` is who holds it, in words.

    `group` is the control group's folder, where there is one of ours; `files` names its files by what they hold.
    """

    limit_bytes: int
    how: str
    enter: tuple[str, ...] = ()
    group: Path | None = None
    is_v1: bool = False
    counts_addresses: bool = False

    def peak_bytes(self) -> int | None:
        """The most that the group has held; None where nobody counts."""
        return self._number("memory.max_usage_in_bytes" if self.is_v1 else "memory.peak")

    def record(self) -> dict[str, int | str | None]:
        """For manifests."""
        return {"bytes": self.limit_bytes, "enforced_by": self.how, "peak_bytes": self.peak_bytes()}

    def kills(self) -> int | None:
        """Processes that the kernel killed at the limit; None where nobody counts."""
        text = self._text("memory.oom_control" if self.is_v1 else "memory.events")
        found = re.search(r"^oom_kill (\d+)$", text, re.MULTILINE)
        return int(found[1]) if found else None

    def close(self) -> None:
        """Removes the group; its process must be gone. Dying processes hold it for some milliseconds."""
        if self.group is None:
            return
        for _ in range(50):
            with contextlib.suppress(FileNotFoundError):
                try:
                    self.group.rmdir()
                except OSError:
                    time.sleep(0.02)
                    continue
            break
        self.group = None

    def _text(self, name: str) -> str:
        try:
            return (self.group / name).read_text() if self.group is not None else ""
        except OSError:
            return ""

    def _number(self, name: str) -> int | None:
        text = self._text(name).strip()
        return int(text) if text.isdigit() else None


def enclose(limit_bytes: int, *, cgroups_are_off: bool = False) -> Enclosure:
    """The most exact limit that this machine lets us set. Raises MachineError where there is none."""
    if limit_bytes < LEAST_BYTES:
        raise UsageError(
            f"--max-ram {format_bytes(limit_bytes)} is less than llama.cpp itself needs",
            remedy=f"--max-ram with at least {format_bytes(LEAST_BYTES)}",
        )
    if not sys.platform.startswith("linux"):
        raise MachineError(
            "--max-ram cannot be enforced on this system", remedy="plan --as-if ram=…, or a Linux machine"
        )
    for make in (_group_v2, _group_v1, _scope):
        enclosure = None if cgroups_are_off else make(limit_bytes)
        if enclosure is not None:
            return enclosure
    return _addresses(limit_bytes, cgroups_are_off=cgroups_are_off)


def forget_file(path: Path) -> None:
    """Asks the kernel to drop a file's cached pages, so that the engine's own reading of it counts under the limit.

    Pages that another process maps stay, and stay counted there.
    """
    with contextlib.suppress(OSError, AttributeError), path.open("rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


# ── control groups ───────────────────────────────────────────────────────────────────────────────────────────────────


def _group_v2(limit_bytes: int) -> Enclosure | None:
    """A group below ours, which cgroup v2 allows only where no process stands in the way, else beside it."""
    for parent in _places("", "cgroup2"):
        group = _new_group(parent) if _delegates_memory(parent) else None
        if group is None:
            continue
        enclosure = Enclosure(limit_bytes, "cgroup v2", _entering(group), group)
        is_set = _write(group / "memory.max", limit_bytes)
        _write(group / "memory.swap.max", 0)
        if is_set and _lets_in(enclosure):
            return enclosure
        enclosure.close()
    return None


def _group_v1(limit_bytes: int) -> Enclosure | None:
    for parent in _places("memory", "cgroup"):
        group = _new_group(parent)
        if group is None:
            continue
        enclosure = Enclosure(limit_bytes, "cgroup v1", _entering(group), group, is_v1=True)
        is_set = _write(group / "memory.limit_in_bytes", limit_bytes)
        if not _write(group / "memory.memsw.limit_in_bytes", limit_bytes):
            _write(group / "memory.swappiness", 0)
        if is_set and _lets_in(enclosure):
            return enclosure
        enclosure.close()
    return None


def _places(controller: str, kind: str) -> Iterator[Path]:
    """Where a group may be made: in our own group, or beside it. `controller` "" is the v2 hierarchy."""
    own = next((path for names, path in _memberships() if controller in names.split(",")), None)
    if own is None:
        return
    for mount in _mounts(kind, controller):
        ours = mount / own.strip("/")
        for place in (ours, ours.parent):
            if place.is_relative_to(mount) and place.is_dir():
                yield place


def _memberships() -> list[tuple[str, str]]:
    """Controllers and path of each line of /proc/self/cgroup; v2's line has no controllers."""
    parts = [line.split(":", 2) for line in _read(Path("/proc/self/cgroup")).splitlines()]
    return [(part[1], part[2]) for part in parts if len(part) == 3]


def _mounts(kind: str, controller: str) -> Iterator[Path]:
    for line in _read(Path("/proc/self/mounts")).splitlines():
        fields = line.split()
        if len(fields) > 3 and fields[2] == kind and (not controller or controller in fields[3].split(",")):
            yield Path(fields[1])


def _delegates_memory(parent: Path) -> bool:
    """Do groups below it have a memory controller, or can they be given one?"""
    if "memory" in _read(parent / "cgroup.subtree_control").split():
        return True
    offered = "memory" in _read(parent / "cgroup.controllers").split()
    return offered and _write(parent / "cgroup.subtree_control", "+memory")


def _new_group(parent: Path) -> Path | None:
    """An empty group; those that a killed session left behind are removed."""
    for left in parent.glob(f"{_PREFIX}*"):
        owner = left.name.removeprefix(_PREFIX).partition("-")[0]
        if owner.isdigit() and not Path("/proc", owner).exists():
            with contextlib.suppress(OSError):
                left.rmdir()
    group = parent / f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
    try:
        group.mkdir()
    except OSError:
        return None
    return group


def _entering(group: Path) -> tuple[str, ...]:
    """A shell that enters the group and becomes the engine: all memory of the engine counts from its first byte."""
    return ("/bin/sh", "-c", _ENTER, str(group / "cgroup.procs"))


def _lets_in(enclosure: Enclosure) -> bool:
    return _succeeds([*enclosure.enter, "/bin/true"])


# ── systemd, and the limit of addresses ──────────────────────────────────────────────────────────────────────────────


def _scope(limit_bytes: int) -> Enclosure | None:
    """systemd's own scope, for users who may not make groups: believed only when the limit is seen inside."""
    systemd_run = shutil.which("systemd-run")
    if systemd_run is None or not Path("/run/systemd/system").is_dir():
        return None
    whose = () if os.geteuid() == 0 else ("--user",)
    limits = ("-p", f"MemoryMax={limit_bytes}", "-p", "MemorySwapMax=0")
    enter = (systemd_run, *whose, "--scope", "--quiet", "--collect", *limits, "--")
    look = "cat /sys/fs/cgroup$(sed -n s/^0:://p /proc/self/cgroup)/memory.max"
    seen = _output([*enter, "/bin/sh", "-c", look]).strip()
    if not seen.isdigit() or int(seen) > limit_bytes:
        return None
    return Enclosure(limit_bytes, "systemd's MemoryMax (cgroup v2)", enter)


def _addresses(limit_bytes: int, *, cgroups_are_off: bool) -> Enclosure:
    enter = ("/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(limit_bytes // 1024))
    if not _succeeds([*enter, "/bin/true"]):
        raise MachineError("--max-ram cannot be enforced here", remedy="plan --as-if ram=…, or run as root")
    why = (
        PARAMETER
        if cgroups_are_off
        else "no control group may be made here: as root, or in a session of systemd's, it can"
    )
    how = f"RLIMIT_AS, which counts mapped files and reserved addresses too: stricter than RAM ({why})"
    return Enclosure(limit_bytes, how, enter, counts_addresses=True)


# ── small things ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _write(path: Path, value: int | str) -> bool:
    try:
        path.write_text(f"{value}\n")
    except OSError:
        return False
    return True


def _succeeds(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _output(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PROBE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""
