"""Which layers this machine offers, and the tier that they make.

    A  Landlock + seccomp (with root: also without its powers)            the base; needs no root
    B  namespaces of our own + seccomp                                    for kernels without Landlock
    C  seccomp only: reading files leaks                                  only with --allow-weak-isolation
    D  macOS Seatbelt (written from its documentation, untried)

Nothing enforced, or root without a drop of its powers: refused. Not covered: proof; attacks.py attacks what is chosen here.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox.layers import landlock, seatbelt, seccomp
from cpu_codegen.schema import Isolation

CANDIDATE_PACKAGES = ("numpy",)
_BASE = {
    "base": sys.base_prefix,
    "platbase": sys.base_exec_prefix,
}  # not the virtual environment's, which holds packages
_SYSTEM_PATHS = """
/usr/lib /lib /lib64 /usr/lib64 /etc/ld.so.cache /etc/localtime /etc/mime.types /usr/share/zoneinfo /dev/null /dev/urandom /dev/zero
/proc/meminfo /proc/cpuinfo /sys/devices/system/cpu
""".split()


@dataclass(frozen=True, slots=True)
class Plan:
    """The layers of a fork server and its children: those that are wanted, and once `settled` those in force.

    `uid` is the one that root became, None where nothing was dropped. `is_root`: started as root. `hidden`: folders below
    `readable` that are not, but for what of `readable` lies in them.
    """

    landlock: bool
    seccomp: bool
    namespaces: bool
    drop_uid: bool
    is_root: bool
    allow_weak: bool
    readable: tuple[str, ...]
    packages: dict[str, str]
    hidden: tuple[str, ...] = ()
    scratch_bytes: int = 0
    seatbelt: bool = False
    uid: int | None = None

    def config(self) -> dict[str, Any]:
        """What the fork server needs to know."""
        return {
            "landlock": self.landlock,
            "seccomp": self.seccomp,
            "namespaces": self.namespaces,
            "drop_uid": self.drop_uid,
            "readable": list(self.readable),
            "hidden": list(self.hidden),
            "packages": self.packages,
            "scratch_bytes": self.scratch_bytes,
        }

    @property
    def tier(self) -> str:
        """A, B, C or D."""
        if self.seatbelt:
            return "D"
        if self.landlock:
            return "A"
        return "B" if self.namespaces else "C"

    def isolation(self) -> Isolation:
        """The tier and the layers in words."""
        layers = [
            *(["landlock"] if self.landlock else []),
            *(["namespaces"] if self.namespaces else []),
            *(["seatbelt", "memory watchdog"] if self.seatbelt else ["seccomp"]),
            *(["uid drop"] if self.uid is not None else []),
            *(["no capabilities"] if self.is_root and not self.seatbelt else []),
            "rlimits",
            *([f"scratch of {self.scratch_bytes} bytes"] if self.scratch_bytes else []),
        ]
        return Isolation(tier=self.tier, layers=tuple(layers))


def choose(*, allow_weak: bool = False, masked: Collection[str] = (), scratch_bytes: int = 0) -> Plan:
    """What to try here. `masked` leaves layers out (landlock, seccomp, namespaces, uid), for tests. Raises MachineError."""
    if sys.platform == "darwin" and seatbelt.available():
        return _seatbelt_plan(allow_weak=allow_weak)
    if not sys.platform.startswith("linux"):
        raise MachineError(
            f"no sandbox for {sys.platform}: generated code is not run unprotected",
            remedy="run on Linux (or WSL2 on Windows); reports and plans work here",
        )
    if "seccomp" in masked or not seccomp.available():
        raise MachineError(
            "no isolation: this kernel or machine offers no seccomp filter that we know",
            remedy="a Linux kernel with seccomp on x86_64 or aarch64",
        )
    packages = package_folders()
    return Plan(
        landlock="landlock" not in masked and landlock.abi() > 0,
        seccomp=True,
        namespaces="namespaces" not in masked,
        drop_uid="uid" not in masked,
        is_root=os.geteuid() == 0,
        allow_weak=allow_weak,
        readable=tuple(readable_paths(packages)),
        hidden=tuple(hidden_paths()),
        packages=packages,
        scratch_bytes=scratch_bytes,
    )


def _seatbelt_plan(*, allow_weak: bool) -> Plan:
    """macOS. What it is worth is for the proof to say."""
    packages = package_folders()
    return Plan(
        landlock=False,
        seccomp=False,
        namespaces=False,
        drop_uid=True,
        is_root=os.geteuid() == 0,
        allow_weak=allow_weak,
        readable=tuple(readable_paths(packages)),
        hidden=tuple(hidden_paths()),
        packages=packages,
        seatbelt=True,
    )


def settled(plan: Plan, facts: dict[str, Any]) -> Plan:
    """The plan with what a fork server found to hold. Raises MachineError where that is too weak."""
    found = replace(plan, namespaces=bool(facts["namespaces"]), uid=facts["uid"])
    if found.scratch_bytes and not found.namespaces:
        raise MachineError(
            "a scratch folder needs namespaces, which this system does not allow here",
            remedy="allow user namespaces (docs/security.md), or run what needs no files",
        )
    if found.is_root and found.uid is None and not (found.landlock or found.seatbelt):
        raise MachineError(
            "running as root without Landlock or another uid: generated code would own every file that it reached",
            remedy="run as an ordinary user, or on a kernel with Landlock (5.13 or newer)",
        )
    if found.tier == "C" and not plan.allow_weak:
        raise MachineError(
            "weak isolation: without Landlock or namespaces generated code could read your files (not send or change them)",
            remedy="--allow-weak-isolation accepts that",
        )
    return found


def readable_paths(packages: dict[str, str]) -> list[str]:
    """The Python installation, the system's libraries, a few harmless files, and the allowed packages."""
    python = {sysconfig.get_path(name, vars=_BASE) for name in ("stdlib", "platstdlib")} | {
        os.path.join(sys.base_prefix, "lib")
    }
    libraries = {folder + ".libs" for folder in packages.values()}
    paths = python | set(_SYSTEM_PATHS) | set(packages.values()) | libraries
    return sorted(path for path in paths if path and os.path.exists(path))


def hidden_paths() -> list[str]:
    """Where packages are installed, ours among them with the solutions of its problems: below Python's own files, unless in an
    environment of its own. The Python that an environment was made from may have us too.
    """
    installed = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    base = {sysconfig.get_path(name, vars=_BASE) for name in ("purelib", "platlib")}
    installed |= {path for path in base if os.path.isdir(os.path.join(path, "cpu_codegen"))}
    ours = str(Path(__file__).resolve().parents[2])
    named = {*installed, ours}
    return sorted(named | {os.path.realpath(path) for path in named})  # Landlock knows folders, namespaces know paths


def package_folders() -> dict[str, str]:
    """Where the packages lie that candidates may import; found without importing them."""
    from importlib.util import find_spec

    folders = {}
    for name in CANDIDATE_PACKAGES:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            folders[name] = os.path.realpath(next(iter(spec.submodule_search_locations)))
    return folders
