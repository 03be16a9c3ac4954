"""Which layers this machine offers, and the tier that they make.

    A  Landlock + seccomp (with root: also without its powers)            the base; needs no root
    B  a mount namespace of our own + seccomp                             for kernels without Landlock
    C  seccomp only: reading files leaks                                  only with --allow-weak-isolation
    D  macOS Seatbelt (written from its documentation, untried)

Nothing enforced, or root without a drop of its powers: refused. Not covered: proof; attacks.py attacks what is chosen here.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox.layers import landlock, rlimits, seccomp
from cpu_codegen.schema import Isolation

CANDIDATE_PACKAGES = ("numpy",)
_SYSTEM_PATHS = """
/usr/lib /lib /lib64 /usr/lib64 /etc/ld.so.cache /etc/localtime /usr/share/zoneinfo /dev/null /dev/urandom /dev/zero /proc/meminfo
/proc/cpuinfo /sys/devices/system/cpu
""".split()


@dataclass(frozen=True, slots=True)
class Plan:
    """The layers that a fork server and its children put on."""

    landlock: bool
    seccomp: bool
    uid: int | None
    drops_root: bool
    readable: tuple[str, ...]
    packages: dict[str, str]
    processes: int | None
    namespaces: bool = False
    wrapper: tuple[str, ...] = ()

    def config(self) -> dict[str, Any]:
        """What the fork server needs to know."""
        return {
            "landlock": self.landlock,
            "seccomp": self.seccomp,
            "uid": self.uid,
            "readable": list(self.readable),
            "packages": self.packages,
            "processes": self.processes,
        }

    def isolation(self) -> Isolation:
        """The tier and the layers in words."""
        layers = [
            *(["landlock"] if self.landlock else []),
            *(["seccomp"] if self.seccomp else []),
            *(["uid drop"] if self.uid is not None else ["no capabilities"] if self.drops_root else []),
            "rlimits",
        ]
        return Isolation(tier="A" if self.landlock and self.seccomp else "C", layers=tuple(layers))


def choose(*, allow_weak: bool = False, masked: Collection[str] = ()) -> Plan:
    """The strongest plan that works here. `masked` leaves layers out, for tests. Raises MachineError when too weak."""
    if not sys.platform.startswith("linux"):
        raise MachineError(
            f"no sandbox for {sys.platform}: generated code is not run unprotected",
            remedy="run on Linux (or WSL2 on Windows); reports and plans work here",
        )
    has_landlock = "landlock" not in masked and landlock.abi() > 0
    has_seccomp = "seccomp" not in masked and seccomp.available()
    packages = package_folders()
    plan = Plan(
        landlock=has_landlock,
        seccomp=has_seccomp,
        uid=None,
        drops_root=os.geteuid() == 0,
        readable=tuple(readable_paths(packages)),
        packages=packages,
        processes=_process_limit(),
    )
    _refuse_if_weak(plan, allow_weak=allow_weak)
    return plan


def _refuse_if_weak(plan: Plan, *, allow_weak: bool) -> None:
    if not plan.seccomp:
        raise MachineError(
            "no isolation: this kernel or machine offers no seccomp filter that we know",
            remedy="a Linux kernel with seccomp on x86_64 or aarch64",
        )
    if plan.landlock:
        return
    if plan.drops_root:
        raise MachineError(
            "running as root without Landlock: generated code could read every file",
            remedy="run as an ordinary user, or on a kernel with Landlock (5.13 or newer)",
        )
    if not allow_weak:
        raise MachineError(
            "weak isolation: without Landlock generated code could read your files (it could not send or change them)",
            remedy="--allow-weak-isolation accepts that",
        )


def readable_paths(packages: dict[str, str]) -> list[str]:
    """The Python installation, the system's libraries, a few harmless files, and the allowed packages."""
    base = {
        "base": sys.base_prefix,
        "platbase": sys.base_exec_prefix,
    }  # not the virtual environment's, which holds packages
    python = {sysconfig.get_path(name, vars=base) for name in ("stdlib", "platstdlib")} | {
        os.path.join(sys.base_prefix, "lib")
    }
    libraries = {folder + ".libs" for folder in packages.values()}
    paths = python | set(_SYSTEM_PATHS) | set(packages.values()) | libraries
    return sorted(path for path in paths if path and os.path.exists(path))


def package_folders() -> dict[str, str]:
    """Where the packages lie that candidates may import; found without importing them."""
    from importlib.util import find_spec

    folders = {}
    for name in CANDIDATE_PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            folders[name] = os.path.realpath(next(iter(spec.submodule_search_locations)))
    return folders


def _process_limit() -> int | None:
    """RLIMIT_NPROC counts all processes and threads of the uid, so the limit is what runs now and some more."""
    uid, count = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == uid:
                    count += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue
    return count + rlimits.MAX_THREADS
