"""Instructions of a call, counted by valgrind's cachegrind: nearly the same on every run and every machine of one architecture.

`efficiency RUN --deterministic` adds them to records that exist. The count is that of a process which makes one pass more than
another one, so that interpreter, loading and decoding cancel out. It takes seconds per program. valgrind starts programs, which
the sandbox of candidates forbids; cachegrind_jail.py takes its place: no network, no files but the interpreter's, no processes of
others. Not covered: what instructions cost; a C extension's may be dear and few.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cpu_codegen.errors import MachineError
from cpu_codegen.measure.cachegrind_inside import RUNNER
from cpu_codegen.measure.cachegrind_jail import REFUSED
from cpu_codegen.measure.workload import NoWorkload, Rung, Workload, open_workload
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import arrays, open_sandbox, tiers, values, wrappers
from cpu_codegen.schema import Problem
from cpu_codegen.store import RunFolder

TIMEOUT_S = 120.0
_REFS = re.compile(r"^==\d+== I +refs: +([\d,]+)$", re.MULTILINE)
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
_VALGRIND = ("--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_VALGRIND_PATHS = ("/usr/libexec/valgrind", "/usr/lib/valgrind")
_FOR_VALGRIND = ("/proc", "/tmp")  # mount points: the jail puts its own there
_MEMORY_BYTES = 8 << 30
_CODEC = (arrays, wrappers, values)  # each after what it imports


def find_valgrind() -> str:
    """Where valgrind lies; MachineError where it is not installed."""
    path = shutil.which("valgrind.bin") or shutil.which("valgrind")  # Debian puts a shell script before it
    if path is None:
        raise MachineError("--deterministic needs valgrind, which is not installed", remedy="apt install valgrind")
    return os.path.realpath(path)


def instructions(valgrind: str, code: str, entry_point: str, rung: Rung) -> int | None:
    """Instructions of one pass over a rung's batch; None where the program failed or took too long."""
    counts = [instructions_of_process(valgrind, code, entry_point, rung, passes) for passes in (1, 2)]
    empty, once = counts
    return None if empty is None or once is None else max(0, once - empty)


def instructions_of_process(valgrind: str, code: str, entry_point: str, rung: Rung, passes: int) -> int | None:
    """All instructions of a process that decodes `passes` batches and calls all but the first of them."""
    log, log_end = os.pipe()
    try:
        done = subprocess.run(
            _command(valgrind, log_end),
            input=request(code, entry_point, rung, passes),
            pass_fds=[log_end],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired:
        return None
    finally:
        os.close(log_end)
        text = _read_all(log)
    if done.returncode == REFUSED:
        raise MachineError(
            "no namespaces here, so code cannot run under valgrind safely", remedy="leave --deterministic out"
        )
    found = _REFS.findall(text)
    return int(found[-1].replace(",", "")) if found and done.returncode == 0 else None


def request(code: str, entry_point: str, rung: Rung, passes: int) -> bytes:
    """The line that cachegrind_inside.RUNNER reads: the program, its inputs, and the sources of what decodes them."""
    codec = {module.__name__: Path(str(module.__file__)).read_text(encoding="utf-8") for module in _CODEC}
    asked = {"codec": codec, "batch": rung.batch, "passes": passes, "code": code, "entry_point": entry_point}
    return (json.dumps(asked) + "\n").encode()


def _read_all(fd: int) -> str:
    """What lies in the pipe; a log of valgrind's fits there."""
    os.set_blocking(fd, False)
    with open(fd, "rb", buffering=0) as file:
        return (file.read(1 << 16) or b"").decode(errors="replace")


def _command(valgrind: str, log_fd: int) -> list[str]:
    python = os.path.realpath(sys.executable)
    wanted = [*tiers.readable_paths(tiers.package_folders()), python, valgrind, *_VALGRIND_PATHS, *_FOR_VALGRIND]
    config = {
        "readable": [path for path in wanted if os.path.exists(path)],
        "command": [
            *(valgrind, *_VALGRIND, f"--log-fd={log_fd}"),
            *(python, "-s", "-S", "-P", "-B", "-c", RUNNER, str(log_fd)),
        ],
        "environment": _ENVIRONMENT,
        "memory_bytes": _MEMORY_BYTES,
        "cpu_s": round(TIMEOUT_S),
        "drop_uid": os.geteuid() == 0,
    }
    return [sys.executable, "-P", "-B", "-m", "cpu_codegen.measure.cachegrind_jail", json.dumps(config)]


def count_column(
    folder: RunFolder, problems: dict[str, Problem], progress: Progress, *, allow_weak: bool = False
) -> Iterator[dict[str, Any]]:
    """The records of the folder that have a ratio, with `instructions` and `reference_instructions` added."""
    valgrind = find_valgrind()
    latest = {record["generation"]: record for record in folder.read("efficiency")}
    codes = {result["generation"]: result["code"] for result in folder.read("results")}
    wanted = [r for r in latest.values() if r.get("cpu_ratio") and r["problem_id"] in problems]
    left = [r for r in wanted if "instructions" not in r]
    progress.begin("instructions", len(wanted), len(wanted) - len(left))
    counted: dict[tuple[str, str], int | None] = {}
    with open_sandbox(workers=1, allow_weak=allow_weak) as sandbox:
        for record in left:
            problem = problems[record["problem_id"]]
            try:
                with open_workload(sandbox, problem) as workload:
                    yield {**record, **_both(valgrind, workload, problem, codes[record["generation"]], counted)}
            except NoWorkload:
                yield {**record, "instructions": None, "reference_instructions": None}
            progress.advance()
    progress.end()


def _both(
    valgrind: str, workload: Workload, problem: Problem, code: str, counted: dict[tuple[str, str], int | None]
) -> dict[str, int | None]:
    """Candidate and reference on the middle size, each program counted once."""
    rung = workload.rungs[len(workload.rungs) // 2]
    for source, entry_point in ((code, problem.entry_point), (workload.source, workload.entry_point)):
        if (problem.id, source) not in counted:
            counted[problem.id, source] = instructions(valgrind, source, entry_point, rung)
    return {
        "instructions": counted[problem.id, code],
        "reference_instructions": counted[problem.id, workload.source],
    }
