"""`cpu-codegen plan` through the command line's own parser, on a machine whose calibration is known."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.cli import app
from cpu_codegen.cli.outlook import outlook
from cpu_codegen.config import RunConfig
from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.folder_notes import noted
from cpu_codegen.machine import default_threads, fingerprint
from cpu_codegen.places import cache_dir
from cpu_codegen.plan import calibration as module
from cpu_codegen.plan.calibration import Calibration, cache_file, measure, save
from cpu_codegen.plan.synthetic import Dense, write_dense
from cpu_codegen.plan.words import duration, figure

Call = Callable[..., str]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], calibrated: Calibration, monkeypatch: pytest.MonkeyPatch) -> Call:
    """stdout of `plan`; measuring now would be a mistake."""
    machine = fingerprint()
    save(cache_file(machine, default_threads(machine)), calibrated)

    def no_measuring(kinds: list[str], **_: object) -> Calibration:
        raise AssertionError(f"{kinds} were measured again")

    monkeypatch.setattr(module, "measure", no_measuring)

    def call(*arguments: str) -> str:
        capsys.readouterr()
        app(["plan", *arguments], standalone_mode=False)
        return capsys.readouterr().out

    return call


def records(text: str) -> dict[str, dict[str, Any]]:
    """Plans by model."""
    return {plan["model"]: plan for plan in json.loads(text)["plans"]}


def test_table(call: Call) -> None:
    """The whole registry: machine first, estimates apart from measurements, the next command last."""
    lines = call("--as-if", "ram=8G").splitlines()
    assert lines[0].startswith("as if: ram=8G")
    assert "decode est." in lines[2]
    assert "decode meas." in lines[2]
    assert len(lines) > 70
    assert lines[-1].startswith("next: cpu-codegen run -m ")
    assert any("does not fit: RAM" in line for line in lines)
    assert any("fits · slow" in line for line in lines)


def test_narrow_window(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a window of 80 columns no row of the table is wider; what it leaves out of a model asked about stands below."""
    monkeypatch.setattr("cpu_codegen.cli.plan._columns", lambda: 80)
    lines = call("--as-if", "ram=8G").splitlines()
    table = lines[2 : lines.index("", 2)]
    assert len(table) > 70
    assert max(map(len, table)) <= 80
    assert any(line.endswith("fits · slow") for line in table)
    told = call("--as-if", "ram=8G", "-m", "gpt-oss-20b", "--offline")
    assert "gpt-oss-20b@mxfp4: RAM 12.5 GB of 8.00 GB; instead: " in told


def test_each_figure_has_its_interval(call: Call) -> None:
    """Of a model asked about, memory in parts, speeds and time stand below the table with both ends; CSV has them for all."""
    text = call("-m", "qwen2.5-coder-1.5b", "--as-if", "ram=8G", "--offline")
    assert re.search(
        r"RAM 1\.4\d GB \[1\.\d+ GB, 1\.\d+ GB\] = weights 1\.12 GB \+ KV cache of 4096 tokens 117 MB \+ compute", text
    )
    assert re.search(
        r"prefill \d+ \[\d+, \d+\], decode [\d.]+ \[[\d.]+, [\d.]+\] tokens/s in one stream; 60 answers.* in .* \[",
        text,
    )
    rows = list(csv.DictReader(io.StringIO(call("--as-if", "ram=8G", "-o", "csv"))))
    known = next(row for row in rows if row["model"] == "qwen2.5-coder-1.5b@q4_k_m")
    for name in ("ram_bytes", "prefill_tokens_s", "decode_tokens_s", "run_s"):
        assert float(known[f"{name}_low"]) < float(known[name]) < float(known[f"{name}_high"])


def test_json(call: Call) -> None:
    """Bytes, seconds and tokens per second with intervals; every verdict is one of the agreed words."""
    plans = records(call("--as-if", "ram=8G", "-o", "json"))
    assert {plan["verdict"] for plan in plans.values()} <= {"fits", "tight", "too_big", "unknown"}
    one = plans["qwen2.5-coder-1.5b@q4_k_m"]
    assert one["disk_bytes"] == 1_117_320_768
    assert one["ram"]["kv_bytes"] == 112 << 20
    assert one["decode"]["interval"]["low"] < one["decode"]["value"] < one["decode"]["interval"]["high"]
    assert one["answers"] == 60
    assert one["measured"] is None
    big = plans["qwen3-coder-30b-a3b@q4_k_m"]
    assert (big["verdict"], big["usable"]) == ("too_big", False)
    assert big["nearest"]


def test_one_model_names_what_to_take_instead(call: Call) -> None:
    """Asked about one model that does not fit, the answer comes from the whole registry."""
    plans = records(call("-m", "qwen2.5-coder-7b", "--as-if", "ram=4G", "--offline", "-o", "json"))
    (only,) = plans.values()
    assert only["verdict"] == "too_big"
    assert only["nearest"].startswith("qwen2.5-coder-3b")


def test_context_and_cache_type(call: Call) -> None:
    """A longer context costs KV cache, a smaller type saves it."""
    kv = [
        records(call("-m", "qwen2.5-coder-1.5b", "--offline", "-o", "json", *more))["qwen2.5-coder-1.5b@q4_k_m"]["ram"]["kv_bytes"]
        for more in ([], ["--ctx", "8192"], ["--kv-type", "q8_0"])
    ]  # fmt: skip
    assert kv[1] == 2 * kv[0]
    assert kv[2] == pytest.approx(kv[0] * 34 / 64, rel=1e-6)
    with pytest.raises(UsageError, match="KV cache of type"):
        call("--kv-type", "q3")


def test_a_file_here_is_read(call: Call, tmp_path: Path) -> None:
    """A local file is planned from its own header, and costs no disk."""
    path = tmp_path / "mine-q8_0.gguf"
    write_dense(path, Dense(4, 256, 512, 4, 4, 512), lambda _name, _layer: "q8_0")
    (only,) = records(call("-m", str(path), "-o", "json")).values()
    assert only["basis"].startswith("the file's own header")
    assert only["disk_bytes"] == 0
    assert only["ram"]["weights_bytes"] == path.stat().st_size


def test_measured_run_stands_beside(call: Call, tmp_path: Path) -> None:
    """A run of this model on this machine gives measured figures, in their own column."""
    folder = tmp_path / "runs" / "20261124T000000-x"
    folder.mkdir(parents=True)
    machine = fingerprint()
    manifest = {
        "schema": 1,
        "status": "finished",
        "model": {"name": "qwen2.5-coder-1.5b@q4_k_m", "sha256": "0" * 64},
        "machine": {"id": machine.id},
        "engine": {"width": 1},
        "sessions": [],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    answer = {"schema": 1, "completion_tokens": 100, "cost_s": 10.0, "decode_s": 8.0, "peak_rss_bytes": 1_500_000_000}
    lines = [json.dumps({**answer, "key": f"k{n}"}) for n in range(3)]
    (folder / "generations.jsonl").write_text("\n".join(lines) + "\n")
    (only,) = records(call("-m", "qwen2.5-coder-1.5b", "--offline", "-o", "json")).values()
    assert only["measured"]["decode_tokens_s"] == pytest.approx(12.5)
    assert only["measured"]["answers"] == 3
    assert only["run_s"] == pytest.approx(600)
    assert "12" in call("-m", "qwen2.5-coder-1.5b", "--offline")
    with (folder / "generations.jsonl").open("a") as file:
        file.write(json.dumps({**answer, "key": "k3", "completion_tokens": 500}) + "\n")
    (grown,) = records(call("-m", "qwen2.5-coder-1.5b", "--offline", "-o", "json")).values()
    assert grown["measured"]["answers"] == 4


def test_folders_are_read_once(tmp_path: Path) -> None:
    """What a run folder tells is kept until one of its files changes; a damaged one and a damaged cache cost nothing but time."""
    reads: list[str] = []

    def read(folder: Path) -> int:
        reads.append(folder.name)
        return int((folder / "a").read_text())

    folders = [tmp_path / name for name in ("1", "2", "3")]
    for folder, text in zip(folders, ("7", "no number", "9"), strict=True):
        folder.mkdir()
        (folder / "a").write_text(text)
    for _ in range(2):
        assert noted("test.json", 1, [*folders, tmp_path / "absent"], ("a",), read) == [7, None, 9]
    assert reads == ["1", "2", "3"]
    (folders[0] / "a").write_text("77")
    assert noted("test.json", 1, folders[:1], ("a",), read) == [77]
    assert noted("test.json", 1, folders[2:], ("a",), read) == [9]
    assert reads[3:] == ["1"]
    (cache_dir() / "test.json").write_text("{")
    assert noted("test.json", 1, folders[2:], ("a",), read) == [9]
    assert reads[4:] == ["3"]


def test_words() -> None:
    """Durations and figures as people say them."""
    assert [duration(s) for s in (40, 1260, 5760, 97_200)] == ["40 s", "21 min", "1 h 36 min", "27 h"]
    assert [figure(v) for v in (0.52, 4.83, 22.4, 1640.2)] == ["0.52", "4.8", "22", "1640"]


@pytest.mark.model
def test_worker_measures() -> None:
    """The child process times a type with llama.cpp itself, and ends with its budget."""
    pytest.importorskip("llama_cpp")
    found = measure(["q8_0"], threads=1, budget_s=60)
    assert found is not None
    assert found.layer_s > 0
    cost = found.types["q8_0"]
    assert set(cost.seconds) == {1, 4, 8, 16, 128}
    assert cost.seconds[128] > cost.seconds[1] > 0


def test_budget_is_kept() -> None:
    """A worker that does not answer in time is ended; what it told counts, and that may be nothing."""
    found = measure(["q4_k"], threads=1, budget_s=0.05)
    assert found is not None
    assert found.types == {}


def test_run_without_a_model_recommends(call: Call, capsys: pytest.CaptureFixture[str]) -> None:
    """`run` alone lists what is usable here and names the model to begin with: exit 2."""
    with pytest.raises(UsageError, match="needs a model") as caught:
        app(["run", "--offline"], standalone_mode=False)
    assert (caught.value.remedy or "").startswith("-m ")
    listed = capsys.readouterr().err
    assert (caught.value.remedy or "").removeprefix("-m ").split()[0] in listed
    assert "does not fit" not in listed
    assert "slow" not in listed


def test_outlook(call: Call) -> None:
    """Before a run one line says what it needs and takes; what cannot be told is left out."""
    line = outlook(RunConfig("qwen2.5-coder-0.5b"))
    assert line is not None
    assert line.startswith("plan: qwen2.5-coder-0.5b@q4_k_m: ")
    assert "60 answers" in line
    part = outlook(RunConfig("qwen2.5-coder-0.5b", limit=3))
    assert part is not None
    assert "answers" not in part
    assert outlook(RunConfig("no-such-model")) is None


def test_what_does_not_fit_is_not_fetched() -> None:
    """A model that is not here and too big for --max-ram is refused before its download; --force gives the line instead."""
    tight = RunConfig("qwen2.5-coder-7b", max_ram_bytes=2_000_000_000)
    with pytest.raises(MachineError, match="nothing was downloaded") as caught:
        outlook(tight)
    assert str(caught.value.remedy).startswith("-m ")
    assert "--force" in str(caught.value.remedy)
    assert "does not fit" in str(outlook(replace(tight, force=True)))


def test_header_from_the_hub(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is named and not here is planned from its header: a few range requests, not the file."""
    from tests.models.support import Hub

    path = tmp_path / "big.gguf"
    write_dense(path, Dense(8, 512, 2048, 8, 8, 2048), lambda _name, _layer: "f16")
    hub = Hub()
    try:
        hub.add("user/big-GGUF", "big-f16.gguf", path.read_bytes())
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_HUB_OFFLINE")
        (only,) = records(call("-m", "hf:user/big-GGUF@main/big-f16.gguf", "-o", "json")).values()
    finally:
        hub.close()
    assert only["basis"].startswith("the file's own header")
    assert only["ram"]["weights_bytes"] == path.stat().st_size
    assert only["disk_bytes"] == path.stat().st_size
    assert hub.sent < path.stat().st_size / 10
