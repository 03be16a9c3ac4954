"""--max-ram: what holds the engine back, how that is told, and what is left behind (nothing)."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.engine import diagnosis, llama, memory_limit
from cpu_codegen.engine.memory_limit import Enclosure, enclose
from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.machine import Machine
from tests.engine.test_recovery import ScriptedProcess, engine, process, requests

__all__ = ["process"]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are Linux's")

GREEDY = "x = bytearray(300_000_000)\nfor i in range(0, len(x), 4096): x[i] = 1\nprint('alive')"


def run_inside(enclosure: Enclosure, source: str) -> subprocess.CompletedProcess[str]:
    """A Python program under the limit."""
    command = [*enclosure.enter, sys.executable, "-c", source]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_who_takes_more_than_the_limit_does_not_live() -> None:
    """The most exact limit of this machine stops 300 MB under 150 MB and lets a small program end; its group is gone after."""
    limit = enclose(150_000_000)
    try:
        assert run_inside(limit, "print('alive')").stdout == "alive\n"
        greedy = run_inside(limit, GREEDY)
        assert greedy.returncode != 0
        assert "alive" not in greedy.stdout
        assert diagnosis.is_out_of_memory(greedy.returncode, greedy.stderr) or limit.kills()
        group = limit.group
    finally:
        limit.close()
    assert group is None or not group.exists()


def test_addresses_are_the_last_resort_and_say_so() -> None:
    """Where the kernel's memory groups are off, the limit is RLIMIT_AS, and the words name the boot parameter to change."""
    limit = enclose(400_000_000, cgroups_are_off=True)
    assert limit.counts_addresses
    assert "counts mapped files" in limit.how
    assert "cgroup_disable=memory" in limit.how
    assert "MemoryError" in run_inside(limit, "x = bytearray(500_000_000)").stderr


def test_a_limit_below_the_interpreter_is_a_wrong_command() -> None:
    """`--max-ram 1M` is refused before anything starts."""
    with pytest.raises(UsageError, match=r"less than llama.cpp itself"):
        enclose(1_000_000)


@pytest.fixture
def v2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cgroup v2 tree as a delegated session sees it: our group holds processes, its parent may be written to."""
    parent = tmp_path / "user.slice"
    (parent / "ours").mkdir(parents=True)
    for folder, control in ((parent, "cpu memory"), (parent / "ours", "")):
        (folder / "cgroup.subtree_control").write_text(control)
        (folder / "cgroup.controllers").write_text("cpu" if folder.name == "ours" else "cpu memory")
    texts = {"/proc/self/cgroup": "0::/user.slice/ours\n", "/proc/self/mounts": f"cgroup2 {tmp_path} cgroup2 rw 0 0\n"}
    real = memory_limit._read
    monkeypatch.setattr(memory_limit, "_read", lambda path: texts.get(str(path)) or real(path))
    monkeypatch.setattr(memory_limit, "_lets_in", lambda _: True)
    return parent


def test_cgroup_v2_makes_a_group_where_memory_is_delegated(v2: Path) -> None:
    """Beside our own group, since processes stand in the way below it; RAM and swap are both bounded, and the end is counted."""
    limit = enclose(2_000_000_000)
    assert limit.how == "cgroup v2"
    assert limit.group is not None
    assert limit.group.parent == v2
    assert (limit.group / "memory.max").read_text() == "2000000000\n"
    assert (limit.group / "memory.swap.max").read_text() == "0\n"
    assert str(limit.group / "cgroup.procs") in limit.enter
    (limit.group / "memory.events").write_text("low 0\noom 3\noom_kill 1\noom_group_kill 0\n")
    (limit.group / "memory.peak").write_text("1999999488\n")
    assert (limit.kills(), limit.peak_bytes()) == (1, 1_999_999_488)


def test_an_engine_killed_by_the_limit_ends_the_run_with_a_remedy(
    process: type[ScriptedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not one engine_error after the other: the cause, the limit and what to make smaller, at once."""
    limit = Enclosure(2_000_000_000, "cgroup v2")
    monkeypatch.setattr(llama, "enclose", lambda *_, **__: limit)
    monkeypatch.setattr(limit.__class__, "kills", lambda _: 1 if process.deadly.get("died") else 0)
    opened = engine(max_ram_bytes=2_000_000_000, check_memory=False)
    assert opened.info.memory_limit == "cgroup v2"
    process.deadly |= {"a": 1, "died": 1}
    with pytest.raises(
        MachineError, match=r"ran out of memory under --max-ram 2.00 GB \(enforced by cgroup v2\)"
    ) as caught:
        list(opened.run(requests("a", "b")))
    assert "--kv-type q8_0" in str(caught.value.remedy)
    opened.close()


def test_a_load_that_fails_under_a_limit_is_the_limits_doing(
    process: type[ScriptedProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill while loading is not called a damaged file; nobody counted, so the words are careful."""
    monkeypatch.setattr(llama, "enclose", lambda *_, **__: Enclosure(2_000_000_000, "RLIMIT_AS, which counts …"))
    process.dies_at_load = -9
    with pytest.raises(MachineError, match="as it seems, under --max-ram"):
        engine(max_ram_bytes=2_000_000_000, check_memory=False)


def test_memory_that_is_asked_for_is_within_the_limit(process: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The KV cache is sized by the limit, not by the machine's memory."""
    monkeypatch.setattr(llama, "enclose", lambda limit, **_: Enclosure(limit, "cgroup v2"))
    monkeypatch.setattr(llama, "fingerprint", lambda: Machine(ram_available_bytes=20_000_000_000))
    free = engine()
    tight = engine(max_ram_bytes=300_000_000)
    rooms = [one._open_settings["kv_room_bytes"] for one in (free, tight)]
    assert rooms[1] < 150_000_000 < rooms[0]


def test_locking_more_than_the_system_allows_is_said_before(process: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """llama.cpp would only warn in its log."""
    from cpu_codegen.engine import opening

    monkeypatch.setattr(opening, "_lockable_bytes", lambda: 1_000_000)
    with pytest.raises(MachineError, match=r"may lock 1.00 MB|may lock 1 MB") as caught:
        engine(mlock=True)
    assert "ulimit -l" in str(caught.value.remedy)


@pytest.mark.model
def test_the_real_engine_answers_within_a_limit() -> None:
    """The demo model under 2 GB, its file read instead of mapped, a quantized cache: an answer comes, and the peak is told."""
    pytest.importorskip("llama_cpp")
    from cpu_codegen.engine.protocol import EngineSettings
    from cpu_codegen.packaged import demo_model

    settings = EngineSettings(
        str(demo_model()), "", ctx_tokens=512, threads=1, parallel=1, kv_type_k="q8_0", kv_type_v="q8_0", mmap=False
    )
    with llama.LlamaEngine(replace(settings, max_ram_bytes=2_000_000_000)) as opened:
        (found,) = opened.run(requests("def f(x):"))
        limit = opened.memory_limit
    assert found.completion_tokens > 0
    assert opened.info.loading == "read into memory"
    assert limit is not None
    assert limit["enforced_by"] == opened.info.memory_limit
    assert limit["peak_bytes"] is None or 20_000_000 < limit["peak_bytes"] <= 2_000_000_000
