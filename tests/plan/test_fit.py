"""A model that does not fit is refused before loading: by plan's own sum, with what would fit instead."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.engine.room import parse_kv_types, refuse_kv_types
from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.gguf_header import read_header
from cpu_codegen.machine import Machine
from cpu_codegen.plan.fit import Load, needed_bytes, refuse_unless_it_fits
from cpu_codegen.plan.memory import ram
from cpu_codegen.plan.shape import shape_of_header
from cpu_codegen.plan.synthetic import Dense, write_dense
from cpu_codegen.schema import ModelFile
from tests.cli.support import run_cli

ROOMY = Machine(ram_available_bytes=64_000_000_000)


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    """10 MB of weights and 64 kB of KV cache for each token of context."""
    path = tmp_path / "wide.gguf"
    size = write_dense(path, Dense(16, 512, 256, 4, 4, 512), lambda _name, _layer: "q4_0")
    return ModelFile("wide.gguf", (str(path),), size, "0" * 64)


def test_the_sum_is_plans(model: ModelFile) -> None:
    """One byte more than needed passes, one byte less is refused."""
    load = Load(model, 4096)
    need = ram(shape_of_header(read_header(Path(model.path))), cells=4096, width=1).needed_bytes
    assert needed_bytes(load, read_header(Path(model.path)), 4096, ("f16", "f16")) == need
    refuse_unless_it_fits(load, Machine(ram_available_bytes=need))
    with pytest.raises(MachineError, match=r"not enough memory for wide\.gguf"):
        refuse_unless_it_fits(load, Machine(ram_available_bytes=need - 1))


def test_all_parts_of_a_split_model_are_weighed(model: ModelFile, tmp_path: Path) -> None:
    """The first part's header tells the shape; the bytes of the later ones come on top."""
    rest = tmp_path / "wide-00002-of-00002.gguf"
    rest.write_bytes(bytes(3_000_000))
    split = replace(model, paths=(*model.paths, str(rest)))
    header = read_header(Path(model.path))
    whole, first = (needed_bytes(Load(m, 4096), header, 4096, ("f16", "f16")) for m in (split, model))
    assert whole == first + 3_000_000


def test_the_refusal_names_what_fits(model: ModelFile) -> None:
    """A smaller context, a smaller cache type, --force; the limit is named as the user typed it."""
    header = read_header(Path(model.path))
    half = needed_bytes(Load(model, 2048), header, 2048, ("f16", "f16"))
    with pytest.raises(MachineError, match=r"at a context of 4096, .* under --max-ram\)") as caught:
        refuse_unless_it_fits(Load(model, 4096, max_ram_bytes=half), ROOMY)
    assert "--ctx 2048" in str(caught.value.remedy)
    assert str(caught.value.remedy).endswith("--force to load it all the same")
    quantized = needed_bytes(Load(model, 4096), header, 4096, ("q8_0", "q8_0"))
    with pytest.raises(MachineError) as caught:
        refuse_unless_it_fits(Load(model, 4096, max_ram_bytes=quantized), ROOMY)
    assert "--kv-type q8_0" in str(caught.value.remedy)
    refuse_unless_it_fits(Load(model, 4096, ("q8_0", "q8_0"), quantized), ROOMY)


def test_unknown_memory_refuses_nothing(model: ModelFile) -> None:
    """A system that does not tell its free memory gets the benefit of the doubt."""
    refuse_unless_it_fits(Load(model, 4096), Machine())


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("q8_0", ("q8_0", "q8_0")),
        ("k=q8_0,v=f16", ("q8_0", "f16")),
        ("V=q4_0", ("f16", "q4_0")),
        ("F16", ("f16", "f16")),
    ],
)
def test_kv_types_as_typed(text: str, types: tuple[str, str]) -> None:
    """Both alike, or each by name; what is not named stays f16."""
    assert parse_kv_types(text) == types


@pytest.mark.parametrize("text", ["q3", "k=q8_0,q4_0", "x=f16", "", "k=", "q8_0,q8_0"])
def test_kv_types_that_are_none(text: str) -> None:
    """The remedy says what to type."""
    with pytest.raises(UsageError) as caught:
        parse_kv_types(text)
    assert "--kv-type" in str(caught.value.remedy)


def test_blocks_must_divide_a_head(tmp_path: Path) -> None:
    """llama.cpp gives no context for heads of 40 values in blocks of 32: said before, by name."""
    path = tmp_path / "narrow.gguf"
    write_dense(path, Dense(2, 160, 160, 4, 4, 256), lambda _name, _layer: "q8_0")
    header = read_header(path)
    refuse_kv_types(header, ("f16", "bf16"))
    with pytest.raises(UsageError, match="its heads have 40 values, no multiple of 32"):
        refuse_kv_types(header, ("f16", "q8_0"))


def test_run_refuses_and_force_overrides(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`run --max-ram` too small ends with exit 3 before an engine starts; with --force the engine is asked for."""
    from cpu_codegen.columns import generate

    monkeypatch.setattr(generate, "watch", lambda: None)

    def started(*_: object) -> None:
        raise MachineError("the engine would start now")

    monkeypatch.setattr(generate, "open_engine", started)
    words = ("run", "-m", "demo", "--limit", "1", "--max-ram", "65M", "--out", "r")
    refused = run_cli(capsys, *words)
    assert refused.code == 3
    assert "under --max-ram" in refused.err
    forced = run_cli(capsys, *words, "--force")
    assert "the engine would start now" in forced.err
    sessions = json.loads(Path("r/manifest.json").read_text())["sessions"]
    assert [(s["options"]["force"], s["options"]["max_ram_bytes"]) for s in sessions] == [
        (False, 65_000_000),
        (True, 65_000_000),
    ]


def test_another_kv_type_is_another_setting(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It enters the keys: an old folder refuses it with exit 6; memory options are free to change."""
    from cpu_codegen.columns import generate

    monkeypatch.setattr(generate, "open_engine", lambda *_: (_ for _ in ()).throw(MachineError("no engine here")))
    words = ("run", "-m", "demo", "--limit", "1", "--out", "r")
    assert run_cli(capsys, *words, "--kv-type", "q8_0").code == 3
    assert run_cli(capsys, *words, "--kv-type", "q8_0", "--mlock", "--no-mmap", "--force").code == 3
    assert run_cli(capsys, *words).code == 6


@pytest.mark.parametrize("text", ["abc", "0", "-2G", "2 X"])
def test_a_limit_that_is_no_size_is_a_wrong_command(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Exit 2, with a size to type; no folder is made."""
    ran = run_cli(capsys, "run", "-m", "demo", "--max-ram", text, "--out", "r")
    assert ran.code == 2
    assert "try:" in ran.err
    assert not Path("r").exists()
