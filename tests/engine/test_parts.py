"""The small parts: the log's words, memory needed, energy counters, frames, recorded answers, the choice of a width."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.engine import diagnosis, meters, room, width
from cpu_codegen.engine.process import EngineProcess
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.engine.replay import ReplayEngine
from cpu_codegen.engine.wire import Wire, WireBroken, WireClosed
from cpu_codegen.errors import IntegrityError, MachineError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.machine import Machine
from cpu_codegen.packaged import demo_model
from cpu_codegen.places import cache_dir
from cpu_codegen.schema import FinishReason, Generation, Request
from scripts import make_synthetic_gguf as synthetic


@pytest.mark.parametrize(
    ("line", "kind", "words"),
    [
        ("llama_model_load: error loading model: unknown model architecture: 'newarch'", MachineError, "newarch"),
        ("llama_model_load: error loading model: missing tensor 'blk.3.ffn_up.weight'", IntegrityError, "blk.3.ffn_up"),
        ("... tensor 'output.weight' has wrong shape; expected 1, got 2", IntegrityError, "wrong shape"),
        ("error loading model vocabulary: unknown pre-tokenizer type: 'neo'", MachineError, "neo"),
        (
            "error loading model hyperparameters: key not found in model: llama.block_count",
            IntegrityError,
            "block_count",
        ),
        ("ggml_backend_cpu_buffer_type_alloc_buffer: failed to allocate buffer of size 9", MachineError, "memory"),
        ("something new: error: it is odd", IntegrityError, "it is odd"),
    ],
)
def test_a_refusal_is_put_into_words(line: str, kind: type[Exception], words: str) -> None:
    """The cause from llama.cpp's log, with a remedy; never the bare log."""
    error = diagnosis.load_error(f"print_info: x = 1\n{line}\n", model="m.gguf")
    assert type(error) is kind
    assert words in str(error)
    assert error.remedy


def test_a_crash_for_want_of_memory_is_told_from_a_bad_file() -> None:
    """While loading or calibrating: the remedy is to ask for less, not to fetch the file again."""
    log = "cpu-codegen: llama_decode of 64 tokens: out of memory for its buffers (code -2)\n"
    starved = diagnosis.died_loading(70, "exit code 70", log, model="m.gguf")
    assert isinstance(starved, MachineError)
    assert "out of memory" in str(starved)
    assert isinstance(diagnosis.died_loading(-11, "SIGSEGV", "odd\n", model="m.gguf"), IntegrityError)


def test_a_process_that_cannot_be_started_is_this_machines_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No memory for a process, or no place for its log: an error with a remedy, no traceback."""

    def full(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    with pytest.raises(MachineError, match="No such file or directory"):
        EngineProcess(log_path=str(tmp_path / "none" / "llama.log"), decide=lambda *_: False)
    monkeypatch.setattr("subprocess.Popen", full)
    with pytest.raises(MachineError, match="cannot be started: Cannot allocate memory") as caught:
        EngineProcess(log_path=str(tmp_path / "llama.log"), decide=lambda *_: False)
    assert caught.value.remedy


def test_a_draft_that_cannot_be_loaded_is_named() -> None:
    """Not the model that it was to help."""
    error = diagnosis.refused("draft", "/models/small.gguf", "missing tensor 'blk.0.ffn_up.weight'\n", model="big.gguf")
    assert "the draft model small.gguf lacks the tensor 'blk.0.ffn_up.weight'" in str(error)


def header(**fields: object) -> GgufHeader:
    """A header of these values."""
    metadata = {"general.architecture": "a", **{f"a.{key.replace('__', '.')}": value for key, value in fields.items()}}
    return GgufHeader("x", 3, metadata, (), 0, 0, 0)


def test_the_kv_cache_of_grouped_heads() -> None:
    """Qwen2.5-Coder-1.5B: 28 layers × 2 heads × 128 × (K + V) × 2 bytes = 28,672 bytes a token; half of that in q8_0's size."""
    found = header(block_count=28, embedding_length=1536, attention__head_count=12, attention__head_count_kv=2)
    assert room.kv_cell_bytes(found, ("f16", "f16")) == 28_672
    assert room.kv_cell_bytes(found, ("q8_0", "f16")) == 14_336 + 7_616


def test_layers_without_attention_have_no_kv_cache() -> None:
    """Hybrids state their heads per layer."""
    found = header(block_count=4, embedding_length=64, attention__head_count=4, attention__head_count_kv=[0, 2, 0, 2])
    assert room.kv_cell_bytes(found, ("f16", "f16")) == 4 * 16 * 2 * 2


def test_layers_that_use_anothers_cache_keep_none() -> None:
    """Gemma 4 E2B: of 35 layers 15 keep keys and values, 12 of them with a window and heads of half the length."""
    windows = [layer % 5 != 4 for layer in range(35)]
    gemma = {
        "block_count": 35,
        "embedding_length": 1536,
        "attention__head_count": 8,
        "attention__head_count_kv": 1,
        "attention__key_length": 512,
        "attention__value_length": 512,
        "attention__key_length_swa": 256,
        "attention__value_length_swa": 256,
        "attention__sliding_window_pattern": windows,
        "attention__shared_kv_layers": 20,
    }
    assert room.kv_cell_bytes(header(**gemma), ("f16", "f16")) == (12 * 256 + 3 * 512) * 2 * 2
    assert room.query_values(header(**gemma)) == 8 * (28 * 256 + 7 * 512)
    period = header(**{**gemma, "attention__sliding_window_pattern": 5})
    assert room.kv_cell_bytes(period, ("f16", "f16")) == room.kv_cell_bytes(header(**gemma), ("f16", "f16"))


def test_a_layer_that_guesses_ahead_keeps_none() -> None:
    """Multi-token prediction: the last block is not computed."""
    facts = {"embedding_length": 64, "attention__head_count": 4, "attention__head_count_kv": 2}
    found = header(block_count=5, nextn_predict_layers=1, **facts)
    assert room.kv_cell_bytes(found, ("f16", "f16")) == room.kv_cell_bytes(
        header(block_count=4, **facts), ("f16", "f16")
    )


def test_recurrent_state_is_counted_for_every_sequence(tmp_path: Path) -> None:
    """As llama.cpp's log has it: Mamba's two layers hold 3 × 512 inputs and 16 × 512 numbers, LFM2's two 2 × 256 inputs."""
    expected = {
        "tiny-recurrent": (2 * (3 * 512 + 16 * 512) * 4, 0),
        "tiny-hybrid": (2 * 2 * 256 * 4, 2 * 2 * 64 * 2 * 2),
    }
    for name, (state, cell) in expected.items():
        synthetic.write(tmp_path / "model.gguf", synthetic.TINY[name], name, "Q8_0")
        found = read_header(tmp_path / "model.gguf")
        assert (room.state_bytes(found), room.kv_cell_bytes(found, ("f16", "f16"))) == (state, cell)
    assert room.state_bytes(read_header(demo_model())) == 0


def test_rope_factors_of_two_kinds_bound_a_context(tmp_path: Path) -> None:
    """Only models that have both are bound: up to their original context where --ctx is within it, beyond it where --ctx is."""
    synthetic.write(tmp_path / "model.gguf", synthetic.TINY["tiny-longrope"], "longrope", "Q8_0")
    found = read_header(tmp_path / "model.gguf")
    assert room.context_bounds(found, 512) == (0, 512)
    assert room.context_bounds(found, 1024)[0] == 513
    assert room.context_bounds(read_header(demo_model()), 512) == room.ANY_CONTEXT


def test_the_demo_model_needs_what_llama_cpp_says() -> None:
    """5 layers × 256 × 2 × 2 bytes."""
    assert room.kv_cell_bytes(read_header(demo_model()), ("f16", "f16")) % 1024 == 0


def test_rapl_counts_on_when_it_wraps(tmp_path: Path) -> None:
    """The counter's own range is used, and packages are added up."""
    zone = tmp_path / "sys/class/powercap/intel-rapl:0"
    zone.mkdir(parents=True)
    (zone / "name").write_text("package-0\n")
    (zone / "max_energy_range_uj").write_text("1000000\n")
    (zone / "energy_uj").write_text("900000\n")
    meter = meters.energy_meter(tmp_path)
    assert meter.joules is not None
    (zone / "energy_uj").write_text("100000\n")
    assert meter.joules() == pytest.approx(0.2)
    (zone / "energy_uj").write_text("400000\n")
    assert meter.joules() == pytest.approx(0.5)
    assert meter.label == "RAPL package domain"


def test_a_battery_counts_only_while_it_discharges(tmp_path: Path) -> None:
    """µWh to joules; on mains the meter says why there is none."""
    supply = tmp_path / "sys/class/power_supply/BAT0"
    supply.mkdir(parents=True)
    (supply / "status").write_text("Discharging\n")
    (supply / "energy_now").write_text("50000000\n")
    meter = meters.energy_meter(tmp_path)
    (supply / "energy_now").write_text("49999000\n")
    assert meter.joules is not None
    assert meter.joules() == pytest.approx(3.6)
    (supply / "status").write_text("Charging\n")
    assert meters.energy_meter(tmp_path).label.startswith("not measured: ")


def test_memory_is_split(tmp_path: Path) -> None:
    """File-backed and anonymous pages apart, PSS from smaps_rollup, absent values None."""
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/status").write_text("VmHWM:\t300 kB\nVmRSS:\t200 kB\nRssAnon:\t50 kB\nRssFile:\t150 kB\n")
    found = meters.memory(root=tmp_path)
    assert (found.peak_rss_bytes, found.anonymous_bytes, found.file_bytes) == (307_200, 51_200, 153_600)
    assert found.pss_bytes is None
    (tmp_path / "proc/self/smaps_rollup").write_text("00-ff ---p 0 [rollup]\nRss: 200 kB\nPss: 120 kB\n")
    assert meters.memory(root=tmp_path).pss_bytes == 122_880


def test_frames_survive_any_text() -> None:
    """Lone surrogates and control characters come back; a torn frame is a closed wire."""
    pipe = io.BytesIO()
    message = {"text": "\ud800 \x00 😀\n"}
    Wire(io.BytesIO(), pipe).send(message)
    assert Wire(io.BytesIO(pipe.getvalue()), io.BytesIO()).receive() == message
    for torn in (b"", pipe.getvalue()[:-1]):
        with pytest.raises(WireClosed, match="end of stream"):
            Wire(io.BytesIO(torn), io.BytesIO()).receive()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (b"\xff\xff\xff\xff{}", "a frame of 4294967295 bytes"),
        (b"\x02\x00\x00\x00{[", "no JSON"),
        (b"\x02\x00\x00\x00[]", "no message: list"),
    ],
)
def test_what_is_no_frame_is_named(frame: bytes, words: str) -> None:
    """Told apart from the other side's end: the log is to say why."""
    with pytest.raises(WireBroken, match=words):
        Wire(io.BytesIO(frame), io.BytesIO()).receive()


def test_recorded_answers_are_given_back() -> None:
    """By key, else by prompt; what was never recorded is an engine_error, never an empty answer."""
    recorded: dict[str, Generation | str] = {"k1": Generation("k1", "one", FinishReason.LENGTH), "prompt two": "two"}
    wanted = [Request(k, t, True, 0, 9) for k, t in (("k1", "x"), ("k2", "prompt two"), ("k3", "unknown"))]
    found = list(ReplayEngine(recorded).run(wanted))
    assert [(g.key, g.text) for g in found] == [("k1", "one"), ("k2", "two"), ("k3", "")]
    assert [g.finish_reason for g in found] == [FinishReason.LENGTH, FinishReason.EOS, FinishReason.ENGINE_ERROR]


def test_the_gain_is_not_monotonic_so_all_widths_count() -> None:
    """A dip at 8 does not end the search; the narrowest width within 3 % of the best is chosen."""
    assert width.choose({"1": 21, "2": 24, "4": 32, "8": 28, "16": 45, "32": 46}) == 16
    assert width.choose({}) == 1


def test_a_width_holds_for_what_it_was_measured_on() -> None:
    """Another file, cache type, thread count, power source, governor or quota is measured anew; log and limits are not asked."""
    settings, machine = EngineSettings("m.gguf", "sha", ctx_tokens=4096), Machine(id="here", power="mains")

    def key(machine: Machine = machine, threads: int = 2, widest: int = 64, **changes: Any) -> str:
        return width.cache_key(replace(settings, **changes), machine, threads=threads, widest=widest)

    others = [
        key(model_sha256="other"),
        key(kv_type_k="q8_0"),
        key(kv_type_v="q8_0"),
        key(threads=1),
        key(widest=8),
        key(replace(machine, id="elsewhere")),
        key(replace(machine, power="battery")),
        key(replace(machine, governor="powersave")),
        key(replace(machine, cpu_quota=1.5)),
        key(replace(machine, logical_cores_usable=1)),
    ]
    assert len({key(), *others}) == 1 + len(others)
    assert key() == key(log_path="engine.log", max_ram_bytes=10**10) == key(model_path="renamed.gguf")


def test_a_damaged_cache_of_widths_is_no_cache() -> None:
    """It is measured again and written anew."""
    width.remember("k", width.Calibration(4, {"4": 1.0}))
    assert width.cached("k") == width.Calibration(4, {"4": 1.0})
    path = cache_dir() / "widths.json"
    path.write_text("{ torn")
    assert width.cached("k") is None
    width.remember("k", width.Calibration(2, {}))
    assert width.cached("k") == width.Calibration(2, {})
