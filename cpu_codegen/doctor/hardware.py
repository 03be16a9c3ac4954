"""The machine's part of doctor: from cpu_codegen/machine.py's facts, llama.cpp's own words and the file system."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from cpu_codegen.busy import watch
from cpu_codegen.doctor.sections import Advice, Context, Section
from cpu_codegen.machine import default_threads
from cpu_codegen.sizes import format_bytes

REBUILD = "CMAKE_ARGS=-DGGML_NATIVE=ON pip install --force-reinstall --no-cache-dir llama-cpp-python"
_ASK_LLAMA_S = 60
_ASK_LLAMA = "import llama_cpp as l; print(l.__version__); print(l.llama_print_system_info().decode())"

# llama.cpp's name for an instruction set → /proc/cpuinfo's.
_FLAGS = {
    "AVX": "avx",
    "AVX2": "avx2",
    "F16C": "f16c",
    "FMA": "fma",
    "BMI2": "bmi2",
    "AVX_VNNI": "avx_vnni",
    "AVX512": "avx512f",
    "AVX512_VBMI": "avx512vbmi",
    "AVX512_VNNI": "avx512_vnni",
    "AVX512_BF16": "avx512_bf16",
    "NEON": "asimd",
    "DOTPROD": "asimddp",
    "FP16_VA": "asimdhp",
    "MATMUL_INT8": "i8mm",
    "SVE": "sve",
}
_LOW_BATTERY_PERCENT = 30
_LOW_DISK_BYTES = 5_000_000_000


def cpu(context: Context) -> Section:
    """Model, cores that we may use, and the instruction sets that matter to llama.cpp."""
    machine = context.machine
    flags = [name for name, flag in _FLAGS.items() if flag in machine.flags]
    cores = f"{_shown(machine.physical_cores_usable)} of {_shown(machine.physical_cores)} cores usable"
    lines = [f"{machine.cpu}, {cores}; flags {' '.join(flags) or 'unknown'}"]
    if machine.board != "unknown":
        lines.append(machine.board)
    facts = {
        "name": machine.cpu,
        "arch": machine.arch,
        "board": machine.board,
        "flags": flags,
        "virtual": machine.virtual,
    }
    cores_facts = {"physical_cores": machine.physical_cores, "physical_cores_usable": machine.physical_cores_usable}
    return Section("cpu", tuple(lines), {**facts, **cores_facts, "id": machine.id})


def llama_cpp(context: Context) -> Section:
    """What llama.cpp was built for against what this CPU has. Asked in a process of its own: a wrong build may crash."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _ASK_LLAMA], capture_output=True, text=True, timeout=_ASK_LLAMA_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return _no_llama(type(error).__name__)
    if answer.returncode < 0:
        return _no_llama(f"it crashes with signal {-answer.returncode}: built for another CPU")
    if answer.returncode:
        return _no_llama((answer.stderr.strip().splitlines() or ["it does not import"])[-1])
    version, _, info = answer.stdout.partition("\n")
    built = built_flags(info)
    unused = [name for name, flag in _FLAGS.items() if flag in context.machine.flags and name not in built and info]
    words = f"built for {' '.join(built) or 'plain instructions only'}"
    match = "matches this CPU" if not unused else f"this CPU also has {' '.join(unused)}"
    advice = [Advice(_slower(unused, built), REBUILD)] if unused else []
    facts = {"version": version, "built_for": built, "unused": unused}
    return Section("llama.cpp", (f"{version}, {words}; {match}",), facts, tuple(advice))


def _slower(unused: list[str], built: list[str]) -> str:
    """On x86 a build without AVX has SSE alone: what SOURCE_DATE_EPOCH in the environment does to a default build."""
    if "AVX" in unused and not built:
        return f"llama.cpp is an SSE-only build (without {' '.join(unused)}): expect it several times slower"
    return f"llama.cpp was built without {' '.join(unused)}: expect it slower"


def built_flags(info: str) -> list[str]:
    """`AVX = 1 | FMA = 0 | …` → names of what is on, of those that we can compare."""
    pairs = (part.rpartition(":")[2].split("=") for part in info.split("|") if "=" in part)
    return [name.strip() for name, value in pairs if value.strip() == "1" and name.strip() in _FLAGS]


def _no_llama(reason: str) -> Section:
    advice = Advice(
        f"llama.cpp cannot be used ({reason}): scoring, reports and plans work, generating does not", REBUILD
    )
    return Section("llama.cpp", (f"not usable: {reason}",), {"version": None, "error": reason}, (advice,))


def threads(context: Context) -> Section:
    """Threads that we would use, and what limits them."""
    machine = context.machine
    quota = "none" if machine.cpu_quota is None else f"{machine.cpu_quota:g} CPUs"
    chosen = default_threads(machine)
    text = f"{chosen} (affinity {_shown(machine.logical_cores_usable)} of {_shown(machine.logical_cores)}, cgroup quota {quota})"
    facts = {
        "default": chosen,
        "logical_cores": machine.logical_cores,
        "logical_cores_usable": machine.logical_cores_usable,
        "cpu_quota": machine.cpu_quota,
    }
    return Section("threads", (text,), facts)


def load(context: Context) -> Section:
    """How many cores other programs keep busy just now, and whether our threads would wait for them."""
    busy = watch()
    if busy is None:
        return Section("load", ("unknown",), {"busy_cores": None})
    average = "" if busy.load is None else f", load average {busy.load:.2f}"
    text = f"{busy.used:.1f} of {busy.cores} usable cores busy{average}"
    warning = busy.warning(default_threads(context.machine))
    facts = {"busy_cores": round(busy.used, 2), "cores": busy.cores, "load_average": busy.load}
    words = (warning or "").partition("; try ")
    advice = (Advice(words[0], f"{words[2]}, or wait until it is quiet"),) if warning else ()
    return Section("load", (text,), facts, advice)


def memory(context: Context) -> Section:
    """RAM within the cgroup limit, and swap."""
    machine = context.machine
    swap = "none" if machine.swap_total_bytes == 0 else f"{_bytes(machine.swap_free_bytes)} free"
    limit = "none" if machine.memory_limit_bytes is None else _bytes(machine.memory_limit_bytes)
    text = f"{_bytes(machine.ram_total_bytes)}, {_bytes(machine.ram_available_bytes)} free, swap {swap}, cgroup limit {limit}"
    facts = {name: getattr(machine, name) for name in ("ram_total_bytes", "ram_available_bytes", "memory_limit_bytes")}
    swap_facts = {"swap_total_bytes": machine.swap_total_bytes, "swap_free_bytes": machine.swap_free_bytes}
    advice: tuple[Advice, ...] = ()
    if machine.memory_cgroup_disabled:
        remedy = "remove cgroup_disable=memory from the kernel's command line, then reboot"
        advice = (Advice("the kernel's memory cgroup is off: --max-ram cannot be exact", remedy),)
    return Section("memory", (text,), {**facts, **swap_facts}, advice)


def power(context: Context) -> Section:
    """What changes speeds from hour to hour: governor, turbo, mains or battery, temperature."""
    machine = context.machine
    battery = "" if machine.battery_percent is None else f" ({machine.battery_percent:.0f} %)"
    heat = "unknown" if machine.temperature_c is None else f"{machine.temperature_c:.0f} °C"
    text = f"governor {machine.governor}, turbo {machine.turbo}, power {machine.power}{battery}, temperature {heat}"
    names = ("governor", "turbo", "power", "battery_percent", "temperature_c")
    return Section("power", (text,), {name: getattr(machine, name) for name in names}, tuple(_power_advice(context)))


def _power_advice(context: Context) -> list[Advice]:
    machine = context.machine
    advice = []
    if machine.governor == "powersave":
        advice.append(
            Advice("the governor is powersave: expect it slower", "sudo cpupower frequency-set -g performance")
        )
    if machine.power == "battery":
        advice.append(Advice("on battery: speeds vary and are recorded as such", "plug in before measuring"))
    if (
        machine.battery_percent is not None
        and machine.battery_percent < _LOW_BATTERY_PERCENT
        and machine.power != "mains"
    ):
        advice.append(
            Advice(f"the battery is at {machine.battery_percent:.0f} %", "plug in; a run resumes where it stopped")
        )
    return advice


def energy(context: Context) -> Section:
    """The energy counter, or why there is none."""
    machine = context.machine
    text = machine.energy_source or f"not measured: {machine.energy_why or 'unknown'}"
    return Section("energy", (text,), {"source": machine.energy_source, "why": machine.energy_why})


def disk(context: Context) -> Section:
    """Room where models are downloaded to."""
    from cpu_codegen.models.caches import hub_cache

    folder = hub_cache()
    existing = next((path for path in (folder, *folder.parents) if path.is_dir()), Path("/"))
    free = shutil.disk_usage(existing).free
    advice: tuple[Advice, ...] = ()
    if free < _LOW_DISK_BYTES:
        advice = (Advice(f"only {format_bytes(free)} free for models", "cpu-codegen models rm, or set HF_HOME"),)
    return Section(
        "disk", (f"{format_bytes(free)} free at {folder}",), {"free_bytes": free, "folder": str(folder)}, advice
    )


def _shown(value: object) -> str:
    return "unknown" if value is None else str(value)


def _bytes(count: int | None) -> str:
    return "unknown" if count is None else format_bytes(count)
