"""macOS and Windows, faked: every module imports, and what needs no sandbox and no model works or says plainly that it cannot.

Not proved: the real systems. The README says what was really tried where.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

FAKE = """
import sys, os, json, pkgutil, importlib
import sysconfig, zoneinfo, urllib.request
import asyncio, ctypes, multiprocessing, socket, subprocess, tempfile, platform, shutil, logging, ssl, uuid, zipfile, webbrowser
import typer, rich.console, rich.syntax, rich.progress, yaml, numpy, tqdm, psutil, jinja2, radon.complexity, radon.metrics
from importlib.metadata import version
try:
    import llama_cpp
except ImportError:
    pass
import huggingface_hub, huggingface_hub.constants, filelock
sysconfig.get_config_vars()
system = sys.argv[1]
absent = ["resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog"] if system == "win32" else []
for name in absent:
    sys.modules[name] = None
posix_only = ("fork", "forkpty", "getuid", "geteuid", "getgid", "setsid", "killpg", "wait4", "getloadavg")
for name in posix_only if system == "win32" else ():
    if hasattr(os, name):
        delattr(os, name)
for name in ("sched_getaffinity", "sched_setaffinity", "pidfd_open", "memfd_create", "setns", "unshare"):
    if hasattr(os, name):
        delattr(os, name)
sys.platform = system
"""

IMPORT_ALL = (
    FAKE
    + """
import cpu_codegen
failed = {}
for module in pkgutil.walk_packages(cpu_codegen.__path__, "cpu_codegen."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
    except Exception as error:
        failed[module.name] = repr(error)
print(json.dumps(failed))
"""
)

COMMAND = (
    FAKE
    + """
sys.argv = ["cpu-codegen", *sys.argv[2:]]
from cpu_codegen.cli import main
main()
"""
)

SYSTEMS = ("darwin", "win32")


def faked(program: str, system: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a program under a faked platform."""
    return subprocess.run(
        [sys.executable, "-c", program, system, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_module_imports(system: str) -> None:
    """No module needs `resource`, `fcntl` or fork merely to be imported."""
    result = faked(IMPORT_ALL, system)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout.splitlines()[-1]) == {}


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_needs_no_sandbox_works(system: str) -> None:
    """The problems' list and every help text."""
    assert faked(COMMAND, system, "--help").returncode == 0
    listed = faked(COMMAND, system, "problems", "list", "-o", "json")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.count("lowcost60/") == 60


@pytest.mark.parametrize("system", SYSTEMS)
def test_generated_code_is_refused_where_nothing_isolates_it(system: str, tmp_path: Path) -> None:
    """No sandbox, no execution: exit 3 with a remedy, never a traceback."""
    program = (
        FAKE
        + """
from cpu_codegen.errors import MachineError
from cpu_codegen.sandbox import open_sandbox
try:
    open_sandbox(workers=1)
except MachineError as error:
    print("refused:", error, "|", error.remedy)
"""
    )
    result = faked(program, system)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("refused:")
    assert not result.stdout.rstrip().endswith("| None")
