"""Makes `.venv` in the repo root ready: llama.cpp's wheel built once for this CPU, then everything else.

Used by scripts/demo and scripts/test; needs nothing but the standard library. A second call with nothing changed ends at once
(a stamp over pyproject.toml, constraints.txt, this file and the Python that made the environment).

llama-cpp-python comes as source only, and pip's cache knows neither CMAKE_ARGS nor the CPU. So its wheel is built once into
$XDG_CACHE_HOME/cpu-codegen/wheels/<version>-<hash of CMAKE_ARGS and CPU flags>/ and installed from there. CPU_CODEGEN_WHEELS=DIR
names a folder of ready wheels instead.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "cpu-codegen.stamp"
HEARTBEAT_S = 30


def say(text: str) -> None:
    """One line to stderr."""
    print(text, file=sys.stderr, flush=True)


def die(message: str, remedy: str) -> None:
    """An error in the voice of the tool, exit 3 (this machine cannot)."""
    say(f"error: {message}\ntry:   {remedy}")
    raise SystemExit(3)


def venv_python() -> Path:
    """The environment's interpreter."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def stamp() -> str:
    """Changes whenever the environment must be made anew."""
    seen = hashlib.sha256()
    for name in ("pyproject.toml", "constraints.txt", "scripts/environment.py"):
        seen.update((ROOT / name).read_bytes())
    seen.update(f"{sys.version}|{sys.base_prefix}|{ROOT}|{cpu_flags()}".encode())
    return seen.hexdigest()


def cpu_flags() -> str:
    """What the compiler's -march=native looks at, as far as the system tells."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    match = re.search(r"^(?:flags|Features)\s*:\s*(.*)$", text, re.MULTILINE)
    return f"{platform.machine()} {match[1] if match else ''}"


def pinned_llama() -> str:
    """The llama-cpp-python version that constraints.txt names."""
    match = re.search(r"^llama-cpp-python==(\S+)$", (ROOT / "constraints.txt").read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit("constraints.txt names no llama-cpp-python version")
    return match[1]


def cmake_args() -> str:
    """GGML_NATIVE is passed on purpose: with SOURCE_DATE_EPOCH set, the default build drops all SIMD flags."""
    given = os.environ.get("CMAKE_ARGS", "")
    return given if "GGML_NATIVE" in given else f"{given} -DGGML_NATIVE=ON".strip()


def wheel_folder(version: str) -> Path:
    """Where this CPU's wheel of that version lives."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    key = hashlib.sha256(f"{cmake_args()}|{cpu_flags()}|{sys.version_info[:2]}".encode()).hexdigest()[:16]
    return cache / "cpu-codegen" / "wheels" / f"{version}-{key}"


def llama_wheels() -> Path:
    """A folder with a ready llama-cpp-python wheel, building it if need be."""
    ready = os.environ.get("CPU_CODEGEN_WHEELS")
    if ready:
        return Path(ready)
    version = pinned_llama()
    folder = wheel_folder(version)
    if not list(folder.glob("llama_cpp_python-*.whl")):
        build_llama(version, folder)
    return folder


def build_llama(version: str, folder: Path) -> None:
    """Builds into a temporary folder and renames it, so that a killed build leaves nothing that looks ready."""
    for tool, package in (("cmake", "cmake"), ("c++", "g++")):
        if shutil.which(tool) is None and shutil.which(os.environ.get("CXX", "") or tool) is None:
            die(f"{tool} is not installed", f"apt-get install {package}, or CPU_CODEGEN_WHEELS=DIR with a ready wheel")
    folder.parent.mkdir(parents=True, exist_ok=True)
    log = folder.parent / f"{folder.name}.log"
    say(f"      llama.cpp {version} is built from source for this CPU, once: 5–10 minutes on 2 cores (log: {log})")
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        command = [
            str(venv_python()),
            "-m",
            "pip",
            "wheel",
            "--no-deps",
            "--no-cache-dir",
            "--no-binary",
            "llama-cpp-python",
        ]
        environment = {**os.environ, "CMAKE_ARGS": cmake_args()}
        environment.pop("SOURCE_DATE_EPOCH", None)
        with log.open("wb") as output:
            code = run_with_heartbeat([*command, "-w", temporary, f"llama-cpp-python=={version}"], environment, output)
        if code != 0:
            tail = log.read_text(errors="replace").splitlines()[-15:]
            say("\n".join(tail))
            die("llama.cpp could not be built", f"read {log}; a C++ compiler and CMake 3.21 or newer are needed")
        shutil.rmtree(folder, ignore_errors=True)
        Path(temporary).rename(folder)
        Path(temporary).mkdir()  # for TemporaryDirectory to remove


def run_with_heartbeat(command: list[str], environment: dict[str, str], output: object) -> int:
    """Runs and says every half minute that it still does: a silent build looks like a hang."""
    started = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)  # type: ignore[call-overload]
    while True:
        try:
            return int(process.wait(timeout=HEARTBEAT_S))
        except subprocess.TimeoutExpired:
            minutes, seconds = divmod(int(time.monotonic() - started), 60)
            say(f"      still building, {minutes} min {seconds:02d} s")


def install(wheels: Path) -> None:
    """The project, editable, with its tools, in the tried versions."""
    pip = [str(venv_python()), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    found = sorted(wheels.glob("llama_cpp_python-*.whl"))
    if not found:
        die(f"no llama_cpp_python wheel in {wheels}", "unset CPU_CODEGEN_WHEELS to build one")
    constraints = ["-c", str(ROOT / "constraints.txt")]
    for extra in ([str(found[-1])], ["-e", f"{ROOT}[dev]"]):
        if subprocess.run([*pip, *constraints, *extra], cwd=ROOT).returncode != 0:
            die(
                "pip could not install the packages",
                "look at the lines above; the network must reach a package registry",
            )


def check_llama(wheels: Path) -> None:
    """A wheel is trusted only after an import and a decode in a child: SIGILL means it was built for another CPU."""
    code = subprocess.run([str(venv_python()), str(ROOT / "scripts" / "check_llama.py")]).returncode
    if code == 0:
        return
    if code in (-4, 132):
        die("llama.cpp's wheel uses instructions that this CPU lacks", f"rm -r {wheels} and run this again")
    die(f"llama.cpp does not work (exit {code})", f"rm -r {wheels} and run this again")


def main() -> None:
    """Brings `.venv` up to date."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells an old Python so
        die(f"Python {platform.python_version()} is too old", "PYTHON=python3.11 ./scripts/demo")
    now = stamp()
    if STAMP.is_file() and STAMP.read_text() == now and venv_python().exists():
        return
    started = time.monotonic()
    say("      making .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    if subprocess.run([sys.executable, "-m", "venv", str(VENV)]).returncode != 0:
        die("python3 -m venv does not work", "apt-get install python3-venv")
    wheels = llama_wheels()
    install(wheels)
    check_llama(wheels)
    STAMP.write_text(now)
    say(f"      ready after {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
