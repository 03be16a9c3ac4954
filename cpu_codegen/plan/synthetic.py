"""Writes GGUFs of a given shape without content worth a model: for calibration, and for proving estimates.

Weights are tiled from one small random piece per tensor type, so that a file of gigabytes is written at the disk's speed. Numbers
are plausible (finite scales of a usual size); what such a model says is noise. Architecture: qwen2 (dense, grouped heads).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cpu_codegen.gguf_tensors import padded
from cpu_codegen.gguf_types import TENSOR_TYPES, TYPES_BY_NAME

_TYPE_IDS = {kind.name: number for number, kind in TENSOR_TYPES.items()}
_ALIGNMENT = 32
_TILE_BYTES = 1 << 20
_F16_SCALE = b"\x00\x18"  # 2⁻⁹ as a half: an unremarkable scale in every block format


@dataclass(frozen=True, slots=True)
class Dense:
    """The shape of a dense transformer. `head_size` is width / heads."""

    layers: int
    width: int
    feed_forward: int
    heads: int
    kv_heads: int
    vocabulary: int
    tied_head: bool = True
    context: int = 32768


TypeOf = Callable[[str, int], str]
"""Tensor name and layer (−1 outside of layers) → tensor type."""


def write_dense(path: Path, shape: Dense, type_of: TypeOf) -> int:
    """Writes the file and returns its bytes."""
    tensors = [(name, dims, "f32" if len(dims) == 1 else type_of(name, layer)) for name, dims, layer in _tensors(shape)]
    with path.open("wb") as file:
        file.write(_header(shape, tensors))
        file.write(b"\0" * (padded(file.tell(), _ALIGNMENT) - file.tell()))
        for name, dims, kind in tensors:
            size = tensor_bytes(dims, kind)
            _fill(file, _ones(dims) if kind == "f32" and "norm" in name else _tile(kind), size)
            file.write(b"\0" * (padded(size, _ALIGNMENT) - size))
        return file.tell()


def tensor_bytes(dims: tuple[int, ...], kind: str) -> int:
    """Storage of a tensor."""
    values = 1
    for length in dims:
        values *= length
    block = TYPES_BY_NAME[kind]
    return values // block.block_values * block.block_bytes


def _tensors(shape: Dense) -> Iterator[tuple[str, tuple[int, ...], int]]:
    width, kv = shape.width, shape.width // shape.heads * shape.kv_heads
    yield "token_embd.weight", (width, shape.vocabulary), -1
    yield "output_norm.weight", (width,), -1
    if not shape.tied_head:
        yield "output.weight", (width, shape.vocabulary), -1
    for layer in range(shape.layers):
        for name, dims in (
            ("attn_norm", (width,)),
            ("attn_q", (width, width)),
            ("attn_k", (width, kv)),
            ("attn_v", (width, kv)),
            ("attn_output", (width, width)),
            ("ffn_norm", (width,)),
            ("ffn_gate", (width, shape.feed_forward)),
            ("ffn_up", (width, shape.feed_forward)),
            ("ffn_down", (shape.feed_forward, width)),
        ):
            yield f"blk.{layer}.{name}.weight", dims, layer
        for name, length in (("attn_q", width), ("attn_k", kv), ("attn_v", kv)):
            yield f"blk.{layer}.{name}.bias", (length,), layer


def _header(shape: Dense, tensors: list[tuple[str, tuple[int, ...], str]]) -> bytes:
    keys: list[tuple[str, Any]] = [
        ("general.architecture", "qwen2"),
        ("general.name", "synthetic"),
        ("qwen2.block_count", shape.layers),
        ("qwen2.context_length", shape.context),
        ("qwen2.embedding_length", shape.width),
        ("qwen2.feed_forward_length", shape.feed_forward),
        ("qwen2.attention.head_count", shape.heads),
        ("qwen2.attention.head_count_kv", shape.kv_heads),
        ("qwen2.attention.layer_norm_rms_epsilon", 1e-6),
        ("qwen2.rope.freq_base", 1e6),
        ("qwen2.vocab_size", shape.vocabulary),
        ("tokenizer.ggml.model", "no_vocab"),
    ]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(keys))
    head += b"".join(_text(key) + _value(value) for key, value in keys)
    offset = 0
    for name, dims, kind in tensors:
        head += _text(name) + struct.pack(f"<I{len(dims)}Q", len(dims), *dims)
        head += struct.pack("<IQ", _TYPE_IDS[kind], offset)
        offset = padded(offset + tensor_bytes(dims, kind), _ALIGNMENT)
    return head


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: str | int | float) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    return struct.pack("<If", 6, value) if isinstance(value, float) else struct.pack("<II", 4, value)


def _ones(dims: tuple[int, ...]) -> bytes:
    return np.ones(dims, dtype="<f4").tobytes()


def _tile(kind: str) -> bytes:
    """Whole blocks of about a megabyte: random bytes with scales that are finite and small."""
    random = np.random.default_rng(0)
    block = TYPES_BY_NAME[kind]
    count = _TILE_BYTES // block.block_bytes
    if kind == "f32":
        return (random.standard_normal(count, dtype=np.float32) * 0.02).astype("<f4").tobytes()
    if kind == "f16":
        return (random.standard_normal(count, dtype=np.float32) * 0.02).astype("<f2").tobytes()
    if kind == "bf16":
        values = (random.standard_normal(count, dtype=np.float32) * 0.02).astype("<f4")
        return (values.view("<u4") >> 16).astype("<u2").tobytes()
    blocks = random.integers(0, 256, (count, block.block_bytes), dtype=np.uint8)
    for start in _SCALES.get(kind, (0,)):
        blocks[:, start : start + 2] = np.frombuffer(_F16_SCALE, dtype=np.uint8)
    if kind == "mxfp4":
        blocks[:, 0] = 118  # a power of two as exponent: 2⁻⁹
    return blocks.tobytes()


# where the half-precision scales lie in a block (llama.cpp's ggml-common.h)
_SCALES: dict[str, tuple[int, ...]] = {
    "q4_1": (0, 2),
    "q5_1": (0, 2),
    "q2_k": (80, 82),
    "q3_k": (108,),
    "q4_k": (0, 2),
    "q5_k": (0, 2),
    "q6_k": (208,),
    "mxfp4": (),
    "tq1_0": (52,),
    "tq2_0": (64,),
}


def _fill(file: Any, tile: bytes, size: int) -> None:
    for _ in range(size // len(tile)):
        file.write(tile)
    file.write(tile[: size % len(tile)])
