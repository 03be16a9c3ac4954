"""The machine as Linux tells it, out of trees of small files: laptops, boards, containers, and systems that say nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.machine import Machine, default_threads, fingerprint, usable_cores
from cpu_codegen.machine_linux import cpu_list

GIB = 1 << 30
LAPTOP = {
    "proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel name\t: Fast   CPU\nflags\t\t: lm avx2 fma\n",
    "proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\nSwapTotal: 1024 kB\nSwapFree: 512 kB\n",
    "proc/self/status": "Name:\tpython\nCpus_allowed_list:\t0-3\n",
    "proc/sys/kernel/osrelease": "6.1.0\n",
    "etc/os-release": 'ID=debian\nPRETTY_NAME="Debian 12"\n',
    "sys/devices/system/cpu/online": "0-3\n",
    **{f"sys/devices/system/cpu/cpu{n}/topology/core_id": str(n // 2) for n in range(4)},
    **{f"sys/devices/system/cpu/cpu{n}/topology/physical_package_id": "0" for n in range(4)},
    **{f"sys/devices/system/cpu/cpu{n}/cpufreq/scaling_governor": "powersave\n" for n in range(4)},
}


def seen(root: Path, files: dict[str, str]) -> Machine:
    """The machine below a root with these files."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return fingerprint(root)


def test_a_laptop_is_told_as_it_is(tmp_path: Path) -> None:
    """Name, system, memory and swap in bytes; two threads of one core are one physical core."""
    found = seen(tmp_path, LAPTOP)
    assert (found.cpu, found.arch, found.os, found.kernel) == ("Fast CPU", "x86_64", "Debian 12", "6.1.0")
    assert (found.physical_cores, found.logical_cores) == (found.physical_cores_usable, found.logical_cores_usable)
    assert (found.physical_cores, found.logical_cores) == (2, 4)
    assert (found.ram_total_bytes, found.ram_available_bytes) == (8 * GIB, 4 * GIB)
    assert (found.swap_total_bytes, found.swap_free_bytes) == (1 << 20, 1 << 19)
    assert (found.governor, found.virtual, found.memory_cgroup_disabled) == ("powersave", False, False)
    assert default_threads(found) == 2
    assert usable_cores(found) == 4


def test_a_system_that_says_nothing_is_unknown(tmp_path: Path) -> None:
    """No file, no guess, no crash; one thread is always right."""
    found = fingerprint(tmp_path)
    assert (found.cpu, found.arch, found.governor, found.turbo, found.power) == ("unknown",) * 5
    assert (found.ram_total_bytes, found.logical_cores, found.cpu_quota, found.temperature_c) == (None,) * 4
    assert (default_threads(found), usable_cores(found)) == (1, 1)


def test_affinity_leaves_fewer_cores(tmp_path: Path) -> None:
    """Of a machine of two cores with two threads each, CPUs 0 and 1 are one core."""
    found = seen(tmp_path, LAPTOP | {"proc/self/status": "Cpus_allowed_list:\t0-1\n"})
    assert (found.physical_cores, found.physical_cores_usable, found.logical_cores_usable) == (2, 1, 2)
    assert default_threads(found) == 1


@pytest.mark.parametrize(
    "kinds",
    [
        {"sys/devices/cpu_core/cpus": "0-1"},
        {f"sys/devices/system/cpu/cpu{n}/cpu_capacity": str((1024, 1000, 400, 400)[n]) for n in range(4)},
    ],
    ids=["Intel hybrid", "ARM capacity"],
)
def test_slow_cores_carry_no_thread(tmp_path: Path, kinds: dict[str, str]) -> None:
    """A step waits for its slowest thread, so of two kinds of cores the fast ones alone count; a tenth is no other kind."""
    single = {f"sys/devices/system/cpu/cpu{n}/topology/core_id": str(n) for n in range(4)}
    found = seen(tmp_path, LAPTOP | single | kinds)
    assert (found.physical_cores_usable, found.performance_cores_usable) == (4, 2)
    assert default_threads(found) == 2


V2 = {
    "proc/self/cgroup": "0::/user.slice/ours\n",
    "sys/fs/cgroup/user.slice/cpu.max": "150000 100000\n",
    "sys/fs/cgroup/user.slice/ours/cpu.max": "350000 100000\n",
    "sys/fs/cgroup/user.slice/ours/memory.max": "max\n",
    "sys/fs/cgroup/user.slice/memory.max": str(2 * GIB),
    "sys/fs/cgroup/user.slice/memory.current": str(GIB),
    "sys/fs/cgroup/user.slice/memory.stat": f"anon 5\ninactive_file {GIB // 2}\n",
}
V1 = {
    "proc/self/cgroup": "4:memory:/ours\n3:cpu,cpuacct:/ours\n",
    "sys/fs/cgroup/cpu,cpuacct/ours/cpu.cfs_quota_us": "150000",
    "sys/fs/cgroup/cpu,cpuacct/ours/cpu.cfs_period_us": "100000",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1",
    "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000",
    "sys/fs/cgroup/memory/memory.limit_in_bytes": str((1 << 63) - 4096),
    "sys/fs/cgroup/memory/ours/memory.limit_in_bytes": str(2 * GIB),
    "sys/fs/cgroup/memory/ours/memory.usage_in_bytes": str(GIB),
    "sys/fs/cgroup/memory/ours/memory.stat": f"total_inactive_file {GIB // 2}\n",
}


@pytest.mark.parametrize("groups", [V2, V1], ids=["v2", "v1"])
def test_a_container_has_what_its_tightest_group_leaves(tmp_path: Path, groups: dict[str, str]) -> None:
    """The smallest quota and limit of our group and its parents; file pages that the kernel would give back are free."""
    found = seen(tmp_path, LAPTOP | groups)
    assert found.cpu_quota == pytest.approx(1.5)
    assert (found.memory_limit_bytes, found.ram_total_bytes) == (2 * GIB, 2 * GIB)
    assert found.ram_available_bytes == 2 * GIB - GIB // 2
    assert default_threads(found) == usable_cores(found) == 1


def test_a_board_without_memory_groups_is_told(tmp_path: Path) -> None:
    """The boot parameter that `--max-ram` has to name; ARM's numbers stand in for a name."""
    found = seen(
        tmp_path,
        {
            "proc/cpuinfo": "CPU implementer\t: 0x41\nCPU architecture: 8\nCPU part\t: 0xd0b\nFeatures\t: asimd\n",
            "proc/cmdline": "console=tty1 cgroup_disable=memory quiet\n",
            "sys/firmware/devicetree/base/model": "Raspberry Pi 5 Model B\0",
        },
    )
    assert found.memory_cgroup_disabled
    assert (found.cpu, found.arch) == ("implementer 0x41 part 0xd0b", "aarch64")
    assert (found.board, found.flags) == ("Raspberry Pi 5 Model B", ("asimd",))


SUPPLY = "sys/class/power_supply"
MAINS = {f"{SUPPLY}/AC/type": "Mains", f"{SUPPLY}/AC/online": "1"}
BATTERY = {f"{SUPPLY}/BAT0/type": "Battery", f"{SUPPLY}/BAT0/capacity": "47", f"{SUPPLY}/BAT0/status": "Discharging"}
MOUSE = {f"{SUPPLY}/hid/type": "Battery", f"{SUPPLY}/hid/scope": "Device", f"{SUPPLY}/hid/status": "Discharging"}


@pytest.mark.parametrize(
    ("files", "power"),
    [
        ({}, ("unknown", None)),
        (MAINS, ("mains", None)),
        (BATTERY, ("battery", 47)),
        (MAINS | BATTERY | {f"{SUPPLY}/BAT0/status": "Charging"}, ("mains", 47)),
        (MAINS | MOUSE, ("mains", None)),
    ],
)
def test_power_is_the_machines_own(tmp_path: Path, files: dict[str, str], power: tuple[str, float | None]) -> None:
    """A battery that empties is one; a mouse's is none."""
    found = seen(tmp_path, files)
    assert (found.power, found.battery_percent) == power


@pytest.mark.parametrize(
    ("name", "text", "turbo"),
    [
        ("intel_pstate/no_turbo", "1", "off"),
        ("intel_pstate/no_turbo", "0", "on"),
        ("cpufreq/boost", "1", "on"),
        ("cpufreq/boost", "0", "off"),
    ],
)
def test_turbo_is_read_either_way(tmp_path: Path, name: str, text: str, turbo: str) -> None:
    """Intel's switch says "no turbo", the others' says "boost"."""
    assert seen(tmp_path, {f"sys/devices/system/cpu/{name}": text}).turbo == turbo


def test_the_hottest_sensor_of_the_cpu_counts(tmp_path: Path) -> None:
    """In degrees; a sensor of something else does not."""
    files = {
        "sys/class/thermal/thermal_zone0/type": "x86_pkg_temp",
        "sys/class/thermal/thermal_zone0/temp": "61000",
        "sys/class/hwmon/hwmon1/name": "coretemp",
        "sys/class/hwmon/hwmon1/temp2_input": "64500",
        "sys/class/hwmon/hwmon2/name": "nvme",
        "sys/class/hwmon/hwmon2/temp1_input": "80000",
    }
    assert seen(tmp_path, files).temperature_c == pytest.approx(64.5)


def test_energy_is_read_or_why_it_cannot_be(tmp_path: Path) -> None:
    """No counter, a counter for root alone, a counter."""
    zone = "sys/class/powercap/intel-rapl:0"
    assert seen(tmp_path / "none", LAPTOP).energy_why == "no counter"
    virtual = {"proc/cpuinfo": LAPTOP["proc/cpuinfo"].replace("avx2", "avx2 hypervisor")}
    assert seen(tmp_path / "guest", LAPTOP | virtual).energy_why == "no counter (a virtual machine)"
    closed = seen(tmp_path / "closed", {f"{zone}/name": "package-0"})
    assert (closed.energy_source, closed.energy_why) == (None, "the RAPL counter is for root only")
    opened = seen(tmp_path / "open", {f"{zone}/name": "package-0", f"{zone}/energy_uj": "123"})
    assert (opened.energy_source, opened.energy_why) == ("rapl:package-0", "")


def test_the_id_is_the_hardwares_and_the_state_is_what_may_change(tmp_path: Path) -> None:
    """A battery, a governor or a quota changes the state and not the id; another CPU changes the id."""
    plugged = seen(tmp_path / "a", LAPTOP | MAINS)
    emptying = seen(tmp_path / "b", LAPTOP | BATTERY)
    limited = seen(tmp_path / "c", LAPTOP | MAINS | V2)
    faster = seen(tmp_path / "d", LAPTOP | MAINS | {"proc/cpuinfo": LAPTOP["proc/cpuinfo"].replace("Fast", "Faster")})
    assert plugged.id == emptying.id == limited.id != faster.id
    assert len({plugged.state, emptying.state, limited.state}) == 3


def test_lists_of_cpus() -> None:
    """As the kernel writes them; nonsense is nothing."""
    assert cpu_list("0-3,8") == {0, 1, 2, 3, 8}
    assert cpu_list("5\n") == {5}
    assert cpu_list(None) == cpu_list("") == cpu_list("x") == set()
