"""What a process and its machine can be asked while a model runs: memory, faults, CPU time, energy, clock frequency.

Covered: Linux through /proc and /sys, elsewhere what psutil knows. What cannot be read is None, and `energy_meter` says why.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.linux_files import read_number, read_text


@dataclass(frozen=True, slots=True)
class Memory:
    """A process's memory in bytes: resident now (split) and at its largest, and its fair share of shared pages (PSS)."""

    rss_bytes: int | None = None
    peak_rss_bytes: int | None = None
    file_bytes: int | None = None
    anonymous_bytes: int | None = None
    pss_bytes: int | None = None


def memory(pid: int | str = "self", *, root: Path = Path("/")) -> Memory:
    """The memory of a process; PSS only where smaps_rollup may be read."""
    status = _table(root / f"proc/{pid}/status")
    if not status:
        return _portable_memory(pid)
    rollup = _table(root / f"proc/{pid}/smaps_rollup")
    return Memory(
        rss_bytes=status.get("VmRSS"),
        peak_rss_bytes=status.get("VmHWM"),
        file_bytes=status.get("RssFile"),
        anonymous_bytes=status.get("RssAnon"),
        pss_bytes=rollup.get("Pss"),
    )


def peak_rss_bytes() -> int | None:
    """The largest resident memory of this process so far."""
    return memory().peak_rss_bytes


def locked_bytes() -> int | None:
    """Memory of this process that the system may not take away (mlock); None where the system does not say."""
    return _table(Path("/proc/self/status")).get("VmLck")


def _table(path: Path) -> dict[str, int]:
    """`Name:   123 kB` lines → bytes."""
    found: dict[str, int] = {}
    for line in (read_text(path) or "").splitlines():
        words = line.split()
        if len(words) == 3 and words[2] == "kB" and words[1].isdigit():
            found[words[0].rstrip(":")] = int(words[1]) * 1024
    return found


def _portable_memory(pid: int | str) -> Memory:
    import psutil

    try:
        info = psutil.Process(None if pid == "self" else int(pid)).memory_info()
    except psutil.Error:
        return Memory()
    return Memory(rss_bytes=info.rss, peak_rss_bytes=getattr(info, "peak_wset", None))


@dataclass(frozen=True, slots=True)
class Usage:
    """What this process has used so far: CPU seconds over all threads, page faults without and with disk access."""

    cpu_s: float
    minor_faults: int | None = None
    major_faults: int | None = None


def usage() -> Usage:
    """This process's totals."""
    try:
        import resource
    except ImportError:  # Windows
        times = os.times()
        return Usage(times.user + times.system)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return Usage(used.ru_utime + used.ru_stime, used.ru_minflt, used.ru_majflt)


@dataclass(frozen=True, slots=True)
class EnergyMeter:
    """`joules()` counts up from any start; None = not measured, and `why` says why. `source` names the counter."""

    joules: Callable[[], float] | None
    source: str = ""
    why: str = ""

    @property
    def label(self) -> str:
        """For manifests and tables."""
        return self.source if self.joules is not None else f"not measured: {self.why}"


def energy_meter(root: Path = Path("/")) -> EnergyMeter:
    """RAPL's package counters where they can be read, else the battery's discharge, else why neither."""
    from cpu_codegen.machine_linux import energy_counter

    zones = [
        zone
        for zone in sorted((root / "sys/class/powercap").glob("intel-rapl:[0-9]*"))
        if (read_text(zone / "name") or "").startswith("package") and read_number(zone / "energy_uj") is not None
    ]
    if zones:
        return EnergyMeter(_Rapl(zones).joules, "RAPL package domain")
    for supply in sorted((root / "sys/class/power_supply").glob("BAT*")):
        if read_text(supply / "status") == "Discharging" and read_number(supply / "energy_now") is not None:
            return EnergyMeter(_Battery(supply).joules, f"battery {supply.name}, the whole machine")
    _, why = energy_counter(root, virtual="hypervisor" in (read_text(root / "proc/cpuinfo") or ""))
    return EnergyMeter(None, why=why or "no counter")


class _Rapl:
    """Sums the packages; each counter wraps at its own range."""

    def __init__(self, zones: list[Path]) -> None:
        self._zones = zones
        self._last = [read_number(zone / "energy_uj") or 0 for zone in zones]
        self._range = [read_number(zone / "max_energy_range_uj") or 2**32 for zone in zones]
        self._total_uj = 0

    def joules(self) -> float:
        """Since the start."""
        for index, zone in enumerate(self._zones):
            now = read_number(zone / "energy_uj")
            if now is not None:
                self._total_uj += (now - self._last[index]) % self._range[index]
                self._last[index] = now
        return self._total_uj / 1e6


class _Battery:
    def __init__(self, supply: Path) -> None:
        self._supply = supply
        self._start = read_number(supply / "energy_now") or 0

    def joules(self) -> float:
        """energy_now counts µWh downwards, in coarse steps."""
        now = read_number(self._supply / "energy_now")
        return (self._start - (now if now is not None else self._start)) * 3600 / 1e6


def clock_mhz(root: Path = Path("/")) -> float | None:
    """The mean frequency of all cores now, as the kernel states it; None where it states none (most virtual machines)."""
    values = [
        value / 1000
        for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_cur_freq")
        if (value := read_number(path)) is not None
    ]
    return sum(values) / len(values) if values else None


def throttle_count(root: Path = Path("/")) -> int | None:
    """How often the kernel saw a core throttled by heat; None where it does not count."""
    values = [
        value
        for path in (root / "sys/devices/system/cpu").glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
        if (value := read_number(path)) is not None
    ]
    return sum(values) if values else None
