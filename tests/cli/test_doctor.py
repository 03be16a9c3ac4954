"""`cpu-codegen doctor`, for people, as data, and with hostile programs of one's own."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.doctor import caches, hardware, isolation, software
from cpu_codegen.doctor.sections import Context, Section, as_data, as_text
from cpu_codegen.errors import MachineError
from cpu_codegen.machine import Machine
from cpu_codegen.models.ledger import Download, record
from cpu_codegen.plan.calibration import Calibration, TypeCost, cache_file, save
from tests.cli.support import run_cli


def test_doctor_shows_what_is_enforced_and_by_whom(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claim: every property of the sandbox reads "enforced by … (verified)" or "NOT enforced"; data and text agree."""
    monkeypatch.setattr(hardware, "_ASK_LLAMA", "print('0.0'); print('AVX = 1')")
    data = json.loads(run_cli(capsys, "doctor", "--json").out)
    text = run_cli(capsys, "doctor").out
    for name, found in data["isolation"]["properties"].items():
        assert found["verified"] is (found["enforced_by"] is not None)
        words = f"enforced by {found['enforced_by']} (verified)" if found["verified"] else "NOT enforced"
        assert any(name in line and words in line for line in text.splitlines())
    assert {"reads", "writes", "network", "processes", "signals", "memory", "verdict", "leftovers"} <= set(
        data["isolation"]["properties"]
    )
    assert {"cpu", "llama.cpp", "threads", "memory", "power", "energy", "disk", "python", "variables"} <= set(data)


def test_a_machine_without_isolation_is_told_and_exits_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claim: where generated code cannot be run safely, doctor still shows the rest, names the remedy and exits 3."""

    def refuse(**_: object) -> None:
        raise MachineError("no isolation here", remedy="another kernel")

    monkeypatch.setattr(hardware, "_ASK_LLAMA", "print('0.0'); print('AVX = 1')")
    monkeypatch.setattr("cpu_codegen.sandbox.box.open_sandbox", refuse)
    ran = run_cli(capsys, "doctor")
    assert ran.code == 3
    assert "refused: no isolation here" in ran.out
    assert "try: another kernel" in ran.out
    assert "memory" in ran.out


def test_hostile_programs_get_one_json_line_each(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Claim: id, verdict, seconds and harm, in the order of the file; placeholders are filled; foreign machines skipped."""
    programs = [
        {"id": "honest", "src": "def f(x): return x + 1"},
        {"id": "wrong", "src": "def f(x): return 0"},
        {"id": "reads", "src": "def f(x): raise ValueError(open('@C@/secret.txt').read())"},
        {
            "id": "connects",
            "src": "import socket\ndef f(x): socket.create_connection(('127.0.0.1', @TCP@)); return x + 1",
        },
        {"id": "made", "src_expr": "'def f(x): return x' + '+1'"},
        {"id": "own test", "src": "def f(x): return x", "test": "assert f(1) == 1"},
        {"id": "elsewhere", "src": "def f(x): return 0", "arch": "s390x"},
    ]
    path = tmp_path / "programs.jsonl"
    path.write_text("".join(json.dumps(program) + "\n" for program in programs), encoding="utf-8")
    ran = run_cli(capsys, "doctor", "--attack", str(path))
    assert ran.code == 0
    lines = [json.loads(line) for line in ran.out.splitlines()]
    assert [(line["id"], line["verdict"]) for line in lines] == [
        ("honest", "pass"),
        ("wrong", "fail"),
        ("reads", "fail"),
        ("connects", "fail"),
        ("made", "pass"),
        ("own test", "pass"),
        ("elsewhere", "skipped"),
    ]
    assert all(line["harm"] == [] and line["seconds"] >= 0 and len(line) == 4 for line in lines)


def test_src_expr_is_never_evaluated_by_the_parent(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Claim: an expression in the file runs in the sandbox only."""
    touched = tmp_path / "touched"
    path = tmp_path / "programs.jsonl"
    path.write_text(json.dumps({"id": "evil", "src_expr": f"open({str(touched)!r}, 'w').write('x')"}), encoding="utf-8")
    (line,) = run_cli(capsys, "doctor", "--attack", str(path)).out.splitlines()
    assert json.loads(line)["verdict"] == "fail"
    assert not touched.exists()


@pytest.mark.parametrize("text", ["{", '{"id": "x"}', '{"id": 1, "src": "x"}', "[]", '"text"'])
def test_a_malformed_line_is_named_and_nothing_runs(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Claim: exit 2 with file and line, before any program is run."""
    path = tmp_path / "programs.jsonl"
    path.write_text('{"id": "a", "src": "def f(x): return x + 1"}\n' + text + "\n", encoding="utf-8")
    ran = run_cli(capsys, "doctor", "--attack", str(path))
    assert ran.code == 2
    assert f"{path.name}:2" in ran.err
    assert ran.out == ""


FAST = Machine(cpu="Test", flags=("avx", "avx2", "fma", "f16c", "bmi2"), ram_total_bytes=8 * 10**9, energy_why="none")


def test_an_sse_only_build_of_llama_cpp_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: instruction sets that the CPU has and the build lacks are named, and how to rebuild."""
    monkeypatch.setattr(hardware, "_ASK_LLAMA", "print('0.3'); print('CPU : SSE3 = 1 | AVX = 1 | AVX2 = 0 | ')")
    found = hardware.llama_cpp(Context(FAST))
    assert found.facts["unused"] == ["AVX2", "F16C", "FMA", "BMI2"]
    assert "GGML_NATIVE=ON" in found.warnings[0].remedy


def test_a_build_without_any_simd_is_named() -> None:
    """Claim: what SOURCE_DATE_EPOCH does to a default build, no instruction set beyond SSE, never reads as a match."""
    info = "CPU : SSE3 = 1 | SSSE3 = 1 | LLAMAFILE = 1 | REPACK = 1 | "
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(hardware, "_ASK_LLAMA", f"print('0.3.36'); print({info!r})")
        found = hardware.llama_cpp(Context(FAST))
    assert found.facts["unused"] == ["AVX", "AVX2", "F16C", "FMA", "BMI2"]
    assert "SSE-only build" in found.warnings[0].text
    assert "matches" not in found.lines[0]


def test_caches_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: models' caches, our downloads with what is unfinished, and the calibration, each or its absence."""
    for name in ("HOME", "HF_HOME", "OLLAMA_MODELS", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    machine = Machine(id="x", logical_cores_usable=2)
    empty = as_text([caches.caches(Context(machine))])
    assert "Hugging Face absent, LM Studio absent, Ollama absent" in empty
    assert "not calibrated yet" in empty
    (tmp_path / "hf_home/hub").mkdir(parents=True)
    part = tmp_path / "hf_home/hub/x.part"
    part.write_bytes(bytes(5000))
    entry = Download("u/r", "f.gguf", "c", "d", 10_000, "blob", str(part), "link", "partial", True, "2026")
    record(entry)
    record(replace(entry, blob="other", state="whole", part="gone"))
    save(
        cache_file(machine, 2),
        Calibration(2, {"q8_0": TypeCost({1: 1.0})}, busy_cores=1.5, taken_unix=time.time() - 600),
    )
    found = caches.caches(Context(machine))
    text = as_text([found])
    assert f"Hugging Face {tmp_path / 'hf_home/hub'}" in text
    assert "1 file, 10 kB downloaded" in text
    assert "5 kB of unfinished downloads" in text
    assert "calibrated 10 min ago, 1 tensor type timed, while 1.5 cores were busy" in text
    assert (found.facts["downloads"], found.facts["unfinished_bytes"]) == (1, 5000)


def test_a_llama_cpp_that_crashes_is_told_not_caught_up_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: a build for another CPU dies in a process of its own, and the signal is named."""
    monkeypatch.setattr(hardware, "_ASK_LLAMA", "import os; os.kill(os.getpid(), 4)")
    found = hardware.llama_cpp(Context(FAST))
    assert "signal 4" in found.lines[0]


def test_what_is_unknown_reads_unknown() -> None:
    """Claim: a machine that tells nothing is shown as such, without a guess and without a crash."""
    nothing = Context(Machine())
    for section in (hardware.cpu, hardware.threads, hardware.memory, hardware.power):
        assert "unknown" in " ".join(section(nothing).lines)


def test_advice_for_a_laptop_on_battery() -> None:
    """Claim: powersave and battery are warned about, with what to do."""
    laptop = Machine(governor="powersave", power="battery", battery_percent=12.0, memory_cgroup_disabled=True)
    text = as_text([hardware.power(Context(laptop)), hardware.memory(Context(laptop))])
    assert "4 warnings:" in text
    assert "cpupower frequency-set" in text
    assert "cgroup_disable=memory" in text


def test_secrets_in_the_environment_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: variables in force are listed; values of tokens and proxies are not."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("HF_ENDPOINT", "https://me:password@mirror")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:password@proxy")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    found = software.environment(Context(Machine()))
    assert found.facts["HF_TOKEN"] == found.facts["HF_ENDPOINT"] == "(set)"
    assert "secret" not in " ".join(found.lines)
    assert "password" not in " ".join(found.lines)
    assert found.facts["OMP_NUM_THREADS"] == "1"


def test_a_leak_of_reads_is_advised_on() -> None:
    """Claim: a property that is not enforced reads so and comes with a remedy."""
    found = Section(
        "isolation", (isolation.in_words("NOT enforced"),), warnings=isolation._advice({"reads": "NOT enforced"})
    )
    assert "NOT enforced" in as_text([found])
    assert "Landlock" in as_data([found])["warnings"][0]["remedy"]
