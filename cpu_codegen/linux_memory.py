"""Linux: memory and the limits of our control group (v2 or v1), on memory and on CPU time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.linux_files import read_number, read_text

_NO_LIMIT = 1 << 60  # cgroup v1 writes "no limit" as a number near 2⁶³


def meminfo(root: Path) -> dict[str, int]:
    """/proc/meminfo in bytes."""
    text = read_text(root / "proc/meminfo") or ""
    return {key: int(kib) * 1024 for key, kib in re.findall(r"^(\w+):\s*(\d+) kB", text, re.MULTILINE)}


@dataclass(frozen=True, slots=True)
class Cgroups:
    """The tightest limits of our cgroup and its ancestors; None = no limit that we can see."""

    cpu_quota: float | None = None
    memory_limit_bytes: int | None = None
    memory_used_bytes: int | None = None


def read_cgroups(root: Path) -> Cgroups:
    """Limits by cgroup v2 or v1, from our own group up to the root of the hierarchy."""
    quotas: list[float] = []
    limits: list[tuple[int, int | None]] = []
    for controllers, path in _memberships(root):
        for folder in _group_folders(root, controllers, path):
            quota = _cpu_quota(folder)
            if quota is not None:
                quotas.append(quota)
            limit = _memory_limit(folder)
            if limit is not None:
                limits.append((limit, _memory_used(folder)))
    tightest = min(limits, key=lambda pair: pair[0], default=(None, None))
    return Cgroups(min(quotas, default=None), tightest[0], tightest[1])


def _memberships(root: Path) -> list[tuple[str, str]]:
    """Lines `id:controllers:/path` of /proc/self/cgroup; v2 has no controllers."""
    lines = (read_text(root / "proc/self/cgroup") or "").splitlines()
    parts = [line.split(":", 2) for line in lines]
    return [(part[1], part[2]) for part in parts if len(part) == 3] or [("", "/")]


def _group_folders(root: Path, controllers: str, path: str) -> list[Path]:
    """Our group's folder and its ancestors'. In a container the path may be the host's: what is absent is skipped."""
    base = root / "sys/fs/cgroup"
    mounts = (
        [base, base / "unified"]
        if not controllers
        else [base / controllers, *(base / c for c in controllers.split(","))]
    )
    parts = [part for part in path.split("/") if part not in ("", "..", ".")]
    chain = ["/".join(parts[:depth]) for depth in range(len(parts), -1, -1)]
    return [folder for mount in mounts for name in chain if (folder := mount / name).is_dir()]


def _cpu_quota(folder: Path) -> float | None:
    fields = (read_text(folder / "cpu.max") or "").split()
    if len(fields) == 2 and fields[0].isdigit() and fields[1].isdigit():
        return int(fields[0]) / max(int(fields[1]), 1)
    quota, period = read_number(folder / "cpu.cfs_quota_us"), read_number(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and quota > 0 and period else None


def _memory_limit(folder: Path) -> int | None:
    names = ("memory.max", "memory.high", "memory.limit_in_bytes")
    values = [value for name in names if (value := read_number(folder / name)) is not None and value < _NO_LIMIT]
    return min(values, default=None)


def _memory_used(folder: Path) -> int | None:
    """What the group holds, without file pages that the kernel would give back at once."""
    used = read_number(folder / "memory.current")
    if used is None:
        used = read_number(folder / "memory.usage_in_bytes")
    statistics = read_text(folder / "memory.stat") or ""
    inactive = re.search(r"^(?:total_)?inactive_file (\d+)$", statistics, re.MULTILINE)
    return None if used is None else max(0, used - (int(inactive[1]) if inactive else 0))


def memory_within(groups: Cgroups, memory: dict[str, int]) -> tuple[int | None, int | None]:
    """RAM in all and RAM to be had, both within the cgroup's limit."""
    total, available = memory.get("MemTotal"), memory.get("MemAvailable")
    limit = groups.memory_limit_bytes
    if limit is None:
        return total, available
    left = max(0, limit - (groups.memory_used_bytes or 0))
    return min(limit, total or limit), min(left, left if available is None else available)
