"""GGUF headers that lie: each ends in one error with a cause, at once and in little memory, wherever a header is read."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import pytest

from cpu_codegen.errors import CpuCodegenError, IntegrityError
from cpu_codegen.gguf_header import read_header
from cpu_codegen.plan.shape import shape_of_header

U32, BOOL, STRING, ARRAY, U64, F64 = 4, 7, 8, 9, 10, 12


def text(value: bytes) -> bytes:
    """A length and so many bytes."""
    return struct.pack("<Q", len(value)) + value


def key(name: str, kind: int, value: bytes) -> bytes:
    """One key with its value."""
    return text(name.encode()) + struct.pack("<I", kind) + value


def array(kind: int, count: int, content: bytes = b"") -> bytes:
    """What an array claims, and what it holds."""
    return struct.pack("<IQ", kind, count) + content


ARCHITECTURE = key("general.architecture", STRING, text(b"llama"))


def header(*keys: bytes, tensors: int = 0, key_count: int | None = None, tail: bytes = b"") -> bytes:
    """A GGUF of these keys."""
    count = len(keys) if key_count is None else key_count
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, count) + b"".join(keys) + tail


NESTED = array(ARRAY, 1, array(ARRAY, 1, array(ARRAY, 1, array(U32, 1, bytes(4)))))

HOSTILE = {
    "tensors": header(tensors=1 << 62),
    "keys": header(key_count=1 << 62),
    "key length": header(key_count=1, tail=struct.pack("<Q", 1 << 63)),
    "text length": header(key("a", STRING, struct.pack("<Q", 1 << 40))),
    "array of numbers": header(key("a", ARRAY, array(U64, 1 << 61))),
    "array of texts": header(key("tokenizer.ggml.tokens", ARRAY, array(STRING, 1 << 61))),
    "array of arrays": header(key("a", ARRAY, array(ARRAY, 1 << 61))),
    "deep arrays": header(key("a", ARRAY, NESTED)),
    "unknown kind": header(key("a", 99, b"")),
    "token length": header(key("tokenizer.ggml.tokens", ARRAY, array(STRING, 1, struct.pack("<Q", 1 << 63)))),
    "layers": header(ARCHITECTURE, key("llama.block_count", U64, struct.pack("<Q", 1 << 62))),
    "negative heads": header(ARCHITECTURE, key("llama.attention.head_count", 11, struct.pack("<q", -8))),
    "heads in words": header(ARCHITECTURE, key("llama.attention.head_count", STRING, text(b"many"))),
    "heads as texts": header(ARCHITECTURE, key("llama.attention.head_count_kv", ARRAY, array(STRING, 1, text(b"x")))),
    "half a layer": header(ARCHITECTURE, key("llama.block_count", F64, struct.pack("<d", 0.5))),
    "tensor length": header(tensors=1, tail=text(b"t") + struct.pack("<IQQIQ", 2, 1 << 63, 1 << 63, 0, 0)),
    "tensor dimensions": header(tensors=1, tail=text(b"t") + struct.pack("<I", 1 << 31)),
    "window": header(ARCHITECTURE, key("llama.attention.key_length_swa", U64, struct.pack("<Q", 1 << 63))),
    "negative state": header(ARCHITECTURE, key("llama.ssm.inner_size", 11, struct.pack("<q", -(1 << 62)))),
    "ten million keys": header(key_count=10_000_000),
    "key stands twice": header(ARCHITECTURE, ARCHITECTURE),
    "cut": header(ARCHITECTURE, key_count=2),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refused(name: str, tmp_path: Path) -> None:
    """Every claim is checked against the file's length or a bound before anything of its size is made."""
    path = tmp_path / "hostile.gguf"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    with pytest.raises(CpuCodegenError, match=r"damaged|cut") as caught:
        read_header(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert caught.value.exit_code == 6
    assert peak < 1 << 20


@pytest.mark.parametrize(("kind", "item"), [(STRING, bytes(8)), (BOOL, b"\1"), (ARRAY, array(U32, 0))])
def test_millions_of_items(kind: int, item: bytes, tmp_path: Path) -> None:
    """Arrays that the file really holds are refused, too, when they would become millions of objects here."""
    path = tmp_path / "hostile.gguf"
    count = 5_000_000
    path.write_bytes(header(key("a", ARRAY, array(kind, count, item * count))))
    with pytest.raises(IntegrityError, match="items"):
        read_header(path)


def test_heads_by_layer(tmp_path: Path) -> None:
    """An array with a number for each layer is what hybrids really have; a first part of a split model may hold no tensor."""
    heads = array(U32, 2, struct.pack("<II", 8, 0))
    path = tmp_path / "hybrid.gguf"
    layers = key("llama.block_count", U32, struct.pack("<I", 2))
    path.write_bytes(
        header(
            ARCHITECTURE,
            layers,
            key("llama.attention.head_count", U32, struct.pack("<I", 8)),
            key("llama.attention.head_count_kv", ARRAY, heads),
            key("llama.attention.key_length", U32, struct.pack("<I", 64)),
            key("llama.attention.value_length", U32, struct.pack("<I", 64)),
        )
    )
    assert shape_of_header(read_header(path)).cell_bytes == 8 * 64 * 2 * 2


@pytest.mark.parametrize("command", ["plan -m", "models show", "models add mine"])
@pytest.mark.parametrize("name", ["array of texts", "deep arrays", "ten million keys", "layers", "tensor length"])
def test_commands_survive(
    command: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`plan`, `models show` and `models add` of such a file answer in words or an error, at once and in little memory."""
    from cpu_codegen.cli import app

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("cpu_codegen.plan.calibration.measure", lambda *_, **__: None)
    path = tmp_path / "hostile.gguf"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    try:
        app([*command.split(), str(path)], standalone_mode=False)
        answer = capsys.readouterr().out
    except CpuCodegenError as error:
        answer = str(error)
    assert answer.strip()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 << 20
