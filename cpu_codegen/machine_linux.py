"""Linux: the facts of machine.py out of /proc, /sys and /etc below a root directory.

Every reader returns None (or "unknown") when the file is absent, unreadable or says nothing.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.linux_files import read_number, read_text
from cpu_codegen.linux_memory import meminfo, memory_within, read_cgroups
from cpu_codegen.machine import Machine, Power, Switch, machine_id

_CPU_TEMPERATURES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal", "soc-thermal", "coretemp", "k10temp", "zenpower")


def linux_machine(root: Path) -> Machine:
    """Everything that a Linux below `root` says of itself."""
    info = cpu_info(root)
    topology = read_topology(root, info)
    groups = read_cgroups(root)
    memory = meminfo(root)
    total, available = memory_within(groups, memory)
    flags = tuple(sorted(set((info.get("flags") or info.get("Features") or "").split())))
    cpu, arch = cpu_name(root, info), _architecture(root, info)
    virtual = "hypervisor" in flags if flags and arch in ("x86_64", "i686") else None
    power, percent = power_supply(root)
    energy, why = energy_counter(root, virtual=bool(virtual))
    ram_gib = round(memory["MemTotal"] / 2**30) if "MemTotal" in memory else None
    return Machine(
        cpu=cpu,
        arch=arch,
        board=read_text(root / "sys/firmware/devicetree/base/model") or "unknown",
        flags=flags,
        virtual=virtual,
        physical_cores=topology.physical,
        logical_cores=topology.logical,
        physical_cores_usable=topology.physical_usable,
        logical_cores_usable=topology.logical_usable,
        performance_cores_usable=topology.performance_usable,
        cpu_quota=groups.cpu_quota,
        ram_total_bytes=total,
        ram_available_bytes=available,
        memory_limit_bytes=groups.memory_limit_bytes,
        memory_cgroup_disabled="cgroup_disable=memory" in (read_text(root / "proc/cmdline") or "").split(),
        swap_total_bytes=memory.get("SwapTotal"),
        swap_free_bytes=memory.get("SwapFree"),
        governor=governor(root),
        turbo=turbo(root),
        power=power,
        battery_percent=percent,
        temperature_c=temperature(root),
        energy_source=energy,
        energy_why=why,
        os=os_name(root),
        kernel=read_text(root / "proc/sys/kernel/osrelease") or "unknown",
        python=platform.python_version(),
        id=machine_id(cpu, arch, " ".join(flags), topology.physical, topology.logical, ram_gib),
    )


# ── CPU ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def cpu_info(root: Path) -> dict[str, str]:
    """/proc/cpuinfo of the first CPU, and the lines after the last one that describe the board."""
    info: dict[str, str] = {}
    for line in (read_text(root / "proc/cpuinfo") or "").splitlines():
        key, separator, value = line.partition(":")
        if separator:
            info.setdefault(key.strip(), value.strip())
    return info


def cpu_name(root: Path, info: dict[str, str]) -> str:
    """The model's name; ARM kernels give numbers instead, which are shown as they are."""
    name = info.get("model name") or info.get("cpu model") or info.get("Processor") or info.get("uarch")
    if name:
        return re.sub(r"\s+", " ", name)
    if "CPU part" in info:
        return f"implementer {info.get('CPU implementer', '?')} part {info['CPU part']}"
    return info.get("Hardware") or "unknown"


def _architecture(root: Path, info: dict[str, str]) -> str:
    """The running kernel's, or for a foreign tree what its cpuinfo gives away."""
    if root == Path("/"):
        return platform.machine() or "unknown"
    if "vendor_id" in info and "flags" in info:
        return "x86_64" if "lm" in info["flags"].split() else "i686"
    if "CPU architecture" in info:
        return "aarch64" if info["CPU architecture"] == "8" else "armv7l"
    return "riscv64" if "isa" in info else "unknown"


@dataclass(frozen=True, slots=True)
class Topology:
    """Counts of cores; None = the system does not say."""

    logical: int | None
    logical_usable: int | None
    physical: int | None
    physical_usable: int | None
    performance_usable: int | None


def read_topology(root: Path, info: dict[str, str]) -> Topology:
    """Cores of the machine and those that our affinity leaves."""
    online = cpu_list(read_text(root / "sys/devices/system/cpu/online")) or _listed_processors(root)
    allowed = cpu_list(_status(root, "Cpus_allowed_list")) & online or online
    cores = {cpu: _core_of(root, cpu) for cpu in online}
    if not online:
        return Topology(None, None, None, None, None)
    known = all(core is not None for core in cores.values())
    fast = allowed & _performance_cpus(root, online) or allowed
    return Topology(
        logical=len(online),
        logical_usable=len(allowed),
        physical=len(set(cores.values())) if known else None,
        physical_usable=len({cores[cpu] for cpu in allowed}) if known else None,
        performance_usable=len({cores[cpu] for cpu in fast}) if known else None,
    )


def cpu_list(text: str | None) -> set[int]:
    """`0-3,8` → {0, 1, 2, 3, 8}."""
    cpus: set[int] = set()
    for part in (text or "").split(","):
        match = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part.strip())
        if match:
            cpus.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return cpus


def _listed_processors(root: Path) -> set[int]:
    text = read_text(root / "proc/cpuinfo") or ""
    return {int(number) for number in re.findall(r"^processor\s*:\s*(\d+)\s*$", text, re.MULTILINE)}


def _status(root: Path, key: str) -> str | None:
    match = re.search(rf"^{key}:\s*(\S+)", read_text(root / "proc/self/status") or "", re.MULTILINE)
    return match[1] if match else None


def _core_of(root: Path, cpu: int) -> tuple[int, int] | None:
    """Package and core number of a logical CPU: hyper-threads share them."""
    folder = root / f"sys/devices/system/cpu/cpu{cpu}/topology"
    package, core = read_number(folder / "physical_package_id"), read_number(folder / "core_id")
    return None if core is None else (package or 0, core)


def _performance_cpus(root: Path, online: set[int]) -> set[int]:
    """The faster kind on a CPU with two kinds of cores (Intel's hybrids; ARM by capacity); else all."""
    intel = cpu_list(read_text(root / "sys/devices/cpu_core/cpus"))
    if intel:
        return intel
    capacity = {cpu: read_number(root / f"sys/devices/system/cpu/cpu{cpu}/cpu_capacity") for cpu in online}
    known = {cpu: value for cpu, value in capacity.items() if value is not None}
    # within a tenth: two clusters of one core type may differ a little by their top clock
    return {cpu for cpu, value in known.items() if value >= 0.9 * max(known.values())} if known else online


# ── clocks, power, energy ────────────────────────────────────────────────────────────────────────────────────────────


def governor(root: Path) -> str:
    """The frequency governor; several joined by a comma."""
    files = (root / "sys/devices/system/cpu").glob("cpu[0-9]*/cpufreq/scaling_governor")
    found = {text for path in files if (text := read_text(path))}
    return ",".join(sorted(found)) or "unknown"


def turbo(root: Path) -> Switch:
    """Whether the CPU may clock above its base frequency."""
    cpus = root / "sys/devices/system/cpu"
    no_turbo, boost = read_number(cpus / "intel_pstate/no_turbo"), read_number(cpus / "cpufreq/boost")
    if no_turbo is not None:
        return "off" if no_turbo else "on"
    if boost is not None:
        return "on" if boost else "off"
    return "unknown"


def power_supply(root: Path) -> tuple[Power, float | None]:
    """Mains or battery, and the battery's charge; batteries of mice and pens do not count."""
    power: Power = "unknown"
    percent: float | None = None
    for folder in sorted((root / "sys/class/power_supply").glob("*")):
        kind = read_text(folder / "type")
        if kind == "Battery" and read_text(folder / "scope") != "Device":
            percent = read_number(folder / "capacity")
            if read_text(folder / "status") == "Discharging":
                return "battery", percent
        elif kind in ("Mains", "USB") and read_number(folder / "online") == 1:
            power = "mains"
    return power, percent


def temperature(root: Path) -> float | None:
    """The CPU's temperature in °C, the hottest of the sensors that are known to be the CPU's."""
    found: list[int] = []
    for zone in (root / "sys/class/thermal").glob("thermal_zone*"):
        if read_text(zone / "type") in _CPU_TEMPERATURES and (value := read_number(zone / "temp")) is not None:
            found.append(value)
    for sensor in (root / "sys/class/hwmon").glob("hwmon*"):
        if read_text(sensor / "name") in _CPU_TEMPERATURES:
            found += [value for path in sensor.glob("temp*_input") if (value := read_number(path)) is not None]
    return max(found) / 1000 if found else None


def energy_counter(root: Path, *, virtual: bool) -> tuple[str | None, str]:
    """The energy counter that can be read, or why none can."""
    zones = sorted((root / "sys/class/powercap").glob("intel-rapl:[0-9]*"))
    packages = [zone for zone in zones if (read_text(zone / "name") or "").startswith(("package", "psys"))]
    if not packages:
        return None, "no counter (a virtual machine)" if virtual else "no counter"
    readable = [zone for zone in packages if read_number(zone / "energy_uj") is not None]
    if not readable:
        return None, "the RAPL counter is for root only"
    return "rapl:" + ",".join(read_text(zone / "name") or zone.name for zone in readable), ""


def os_name(root: Path) -> str:
    """PRETTY_NAME of /etc/os-release."""
    match = re.search(r'^PRETTY_NAME="?([^"\n]+)', read_text(root / "etc/os-release") or "", re.MULTILINE)
    return match[1] if match else "unknown"
