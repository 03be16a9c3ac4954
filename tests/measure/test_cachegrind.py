"""Instructions under valgrind: counted for one pass, in a jail of its own, added to records that have a ratio."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.errors import MachineError
from cpu_codegen.measure import cachegrind
from cpu_codegen.measure.cachegrind_inside import RUNNER
from cpu_codegen.measure.workload import Rung
from cpu_codegen.progress import Silent
from cpu_codegen.sandbox import values
from cpu_codegen.schema import Problem, ProblemFileTask
from cpu_codegen.store import RunFolder

LOOP = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"
ATTACKS = """
import ctypes, os, socket, time

def connect():
    socket.create_connection(("127.0.0.1", 22), timeout=1)

def read():
    open("/etc/shadow").read()

def write():
    open("/usr/here", "w")

def others():
    if max(int(name) for name in os.listdir("/proc") if name.isdigit()) < 50:
        raise OSError("only our own processes are here")

def mount():
    if ctypes.CDLL(None).mount(b"none", b"/tmp", b"tmpfs", 0, None):
        raise OSError("no")

def swarm():
    for _ in range(100):
        if os.fork() == 0:
            time.sleep(600)

def f(n):
    for code, attack in enumerate((connect, read, write, others, mount, swarm), start=20):
        try:
            attack()
        except Exception:
            continue
        os._exit(code)
"""


@pytest.fixture
def valgrind() -> str:
    """Where it lies; skipped where it is not installed or namespaces are not to be had."""
    if shutil.which("valgrind") is None:
        pytest.skip("valgrind is not installed")
    return cachegrind.find_valgrind()


@pytest.mark.parametrize(("expected", "status"), [(6, 0), (7, 1)])
def test_the_program_runs_with_nothing_of_ours_importable(expected: int, status: int) -> None:
    """What valgrind starts, without valgrind: inputs are decoded by sources that came along, then the calls are made."""
    code = f"def f(values):\n    assert sum(values) == {expected} and type(values) is tuple"
    batch = Rung(0, 1, [[values.encode((1, 2, 3))]], 10)
    read, log = os.pipe()
    os.close(read)
    command = [sys.executable, "-I", "-S", "-c", RUNNER, str(log)]
    line = cachegrind.request(code, "f", batch, passes=2)
    done = subprocess.run(command, input=line, pass_fds=[log], capture_output=True, check=False)
    os.close(log)
    assert done.returncode == status, done.stderr.decode()


def test_a_pass_is_counted_alone(valgrind: str) -> None:
    """Twenty thousand rounds cost hundreds of instructions each: interpreter and loading (tens of millions) cancel out."""
    try:
        found = cachegrind.instructions(valgrind, LOOP, "f", Rung(0, 1, [[20_000]], 10))
    except MachineError as error:
        pytest.skip(str(error))
    assert found is not None
    assert 20_000 * 30 < found < 20_000 * 2_000


def test_the_jail_holds(valgrind: str) -> None:
    """No network, no files of the machine, none to be written, no others' processes, no mounts, no swarm: every attack is refused.

    An attack that succeeds ends the program with a code of its own, and then nothing is counted.
    """
    try:
        assert cachegrind.instructions_of_process(valgrind, ATTACKS, "f", Rung(0, 1, [[1]], 10), 2) is not None
    except MachineError as error:
        pytest.skip(str(error))


def test_without_valgrind_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 3 and the package's name."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(MachineError, match="not installed") as caught:
        cachegrind.find_valgrind()
    assert caught.value.remedy == "apt install valgrind"


def test_records_with_a_ratio_are_completed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal programs are counted once; records without a ratio stay; what has a count is not counted again."""
    source = LOOP + "\nSIZES = (1, 2, 3)\ndef scaled(n, seed=0):\n    return (n,)\n"
    problem = Problem("own/f", "own", "easy", "f", "", "1", ProblemFileTask(source))
    counted: list[str] = []

    def fake(valgrind: str, code: str, entry_point: str, rung: Rung) -> int:
        counted.append(code)
        assert rung.size == 2
        return len(counted)

    monkeypatch.setattr(cachegrind, "find_valgrind", lambda: "valgrind")
    monkeypatch.setattr(cachegrind, "instructions", fake)
    with RunFolder(tmp_path / "run", writable=True) as folder:
        for name, ratio in (("a", 1.0), ("b", 1.0), ("c", None)):
            folder.append("results", {"generation": name, "key": name, "code": LOOP, "outcome": "passed"})
            record: dict[str, Any] = {"generation": name, "key": name, "problem_id": "own/f"}
            folder.append("efficiency", {**record, "cpu_ratio": None if ratio is None else {"value": ratio}})
        for done in cachegrind.count_column(folder, {"own/f": problem}, Silent()):
            assert (done["instructions"], done["reference_instructions"]) == (1, 2)
            folder.append("efficiency", done)
        assert counted == [LOOP, source]
        assert list(cachegrind.count_column(folder, {"own/f": problem}, Silent())) == []
