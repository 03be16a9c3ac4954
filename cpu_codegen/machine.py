"""What this machine is and what of it we may use: CPU, cores, memory, power, energy counter, kernel.

Covered: facts as the system states them, within affinity and cgroup limits; unknown is None or "unknown", never a guess. Not
covered: what llama.cpp was built for (the engine says it), how fast the machine is (plan/ measures it).
"""

from __future__ import annotations

import hashlib
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Power = Literal["mains", "battery", "unknown"]
Switch = Literal["on", "off", "unknown"]


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine at one moment. Cores are physical, threads of the hardware logical.

    `*_usable` counts what affinity leaves us; `cpu_quota` is the cgroup's share in CPUs. `performance_cores_usable` differs
    from `physical_cores_usable` on CPUs with cores of two kinds. `ram_available_bytes` and `ram_total_bytes` heed the cgroup limit.
    `energy_source` is None when no counter can be read; `energy_why` says why.
    """

    cpu: str = "unknown"
    arch: str = "unknown"
    board: str = "unknown"
    flags: tuple[str, ...] = ()
    virtual: bool | None = None
    physical_cores: int | None = None
    logical_cores: int | None = None
    physical_cores_usable: int | None = None
    logical_cores_usable: int | None = None
    performance_cores_usable: int | None = None
    cpu_quota: float | None = None
    ram_total_bytes: int | None = None
    ram_available_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_cgroup_disabled: bool = False
    swap_total_bytes: int | None = None
    swap_free_bytes: int | None = None
    governor: str = "unknown"
    turbo: Switch = "unknown"
    power: Power = "unknown"
    battery_percent: float | None = None
    temperature_c: float | None = None
    energy_source: str | None = None
    energy_why: str = ""
    os: str = "unknown"
    kernel: str = "unknown"
    python: str = "unknown"
    id: str = ""

    @property
    def state(self) -> str:
        """What may change on one machine and changes speeds: enters the keys of caches beside `id`."""
        quota = "none" if self.cpu_quota is None else f"{self.cpu_quota:g}"
        return f"cores={self.logical_cores_usable} quota={quota} power={self.power} governor={self.governor}"


def machine_id(*facts: object) -> str:
    """A short hash of what does not change while the hardware stays."""
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()[:12]


def fingerprint(root: Path | None = None) -> Machine:
    """The machine as it is now. `root` stands in for / (a tree of proc and sys files), for tests and for other machines."""
    if root is not None or sys.platform.startswith("linux"):
        from cpu_codegen.machine_linux import linux_machine

        return linux_machine(root or Path("/"))
    return _portable_machine()


def usable_cores(machine: Machine | None = None) -> int:
    """How many workers may run at once: logical cores within affinity and cgroup quota, at least 1."""
    machine = machine or fingerprint()
    return _within_quota(machine.logical_cores_usable or 1, machine)


def default_threads(machine: Machine | None = None) -> int:
    """Threads for llama.cpp: one per performance core within affinity; never over the quota, where it collapses."""
    machine = machine or fingerprint()
    cores = machine.performance_cores_usable or machine.physical_cores_usable or machine.logical_cores_usable or 1
    return _within_quota(cores, machine)


def _within_quota(cores: int, machine: Machine) -> int:
    """A quota of 3.5 CPUs carries three threads: with four, one of them waits and the others wait for it."""
    return cores if machine.cpu_quota is None else max(1, min(cores, int(machine.cpu_quota)))


def _portable_machine() -> Machine:
    """macOS, Windows and the rest, as far as psutil and the standard library know them."""
    import psutil

    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    physical, logical = psutil.cpu_count(logical=False), psutil.cpu_count()
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    cpu = _apple("machdep.cpu.brand_string") or platform.processor() or "unknown"
    performance = _apple("hw.perflevel0.physicalcpu")
    power: Power = "unknown" if battery is None else "mains" if battery.power_plugged else "battery"
    return Machine(
        cpu=cpu,
        arch=platform.machine(),
        physical_cores=physical,
        logical_cores=logical,
        physical_cores_usable=physical,
        logical_cores_usable=logical,
        performance_cores_usable=int(performance) if performance else physical,
        ram_total_bytes=memory.total,
        ram_available_bytes=memory.available,
        swap_total_bytes=swap.total,
        swap_free_bytes=swap.free,
        power=power,
        battery_percent=battery.percent if battery is not None else None,
        energy_why=f"no counter that can be read on {platform.system()}",
        os=platform.platform(),
        kernel=platform.release(),
        python=platform.python_version(),
        id=machine_id(cpu, platform.machine(), physical, logical, round(memory.total / 2**30)),
    )


def _apple(name: str) -> str:
    """One value of macOS's sysctl, "" elsewhere."""
    if sys.platform != "darwin":
        return ""
    import subprocess

    result = subprocess.run(["/usr/sbin/sysctl", "-n", name], capture_output=True, text=True, check=False, timeout=5)
    return result.stdout.strip()
