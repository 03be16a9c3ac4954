#!/usr/bin/env python3
"""Writes a GGUF with the geometry of a real model and random weights: its speed is the real model's, its text is nonsense.

    scripts/make_synthetic_gguf.py --like qwen2.5-coder-1.5b --quant Q4_K_M out.gguf
    scripts/make_synthetic_gguf.py --list

Speed does not depend on the values, so blocks are quantized once per tensor type and tiled over the file: a 7 B model takes
seconds and no memory. The vocabulary has the real one's size, begins with the 256 bytes and ends with ChatML's special tokens,
so that text in and out works. The mix of types is llama.cpp's for that quantization, as far as speed goes (attention v,
feed-forward down and output in finer types where llama-quantize does so). Geometries: the project's table of models, except
mamba-130m (its card).
"""

from __future__ import annotations

import argparse
import itertools
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.gguf_tensors import padded  # noqa: E402
from cpu_codegen.gguf_types import FILE_TYPES, TENSOR_TYPES  # noqa: E402

TILE_BYTES = 1 << 20
ALIGNMENT = 32
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TYPES = {kind.name.upper(): (number, kind) for number, kind in TENSOR_TYPES.items()}
ROPE_FACTORS = (("short", 1.0), ("long", 8.0))
QUANTS = ("Q4_K_M", "Q4_0", "Q8_0", "F16")


@dataclass(frozen=True)
class Geometry:
    """A model's shape. `kv_heads` 0 in a layer of a hybrid = no attention there (`attention_layers` lists those with).

    `original_context` > 0: LongRoPE, with another set of rope factors for contexts beyond it.
    """

    arch: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    feed_forward: int
    vocabulary: int
    context: int
    tied: bool = True
    experts: int = 0
    experts_used: int = 0
    window: int = 0
    attention_layers: tuple[int, ...] | None = None
    original_context: int = 0


PRESETS = {
    "qwen2.5-coder-0.5b": Geometry("qwen2", 24, 896, 14, 2, 64, 4864, 151936, 32768),
    "qwen2.5-coder-1.5b": Geometry("qwen2", 28, 1536, 12, 2, 128, 8960, 151936, 32768),
    "qwen2.5-coder-3b": Geometry("qwen2", 36, 2048, 16, 2, 128, 11008, 151936, 32768),
    "qwen2.5-coder-7b": Geometry("qwen2", 28, 3584, 28, 4, 128, 18944, 152064, 32768, tied=False),
    "deepseek-coder-1.3b": Geometry("llama", 24, 2048, 16, 16, 128, 5504, 32256, 16384, tied=False),
    "codellama-7b": Geometry("llama", 32, 4096, 32, 32, 128, 11008, 32016, 16384, tied=False),
    "mistral-7b": Geometry("llama", 32, 4096, 32, 8, 128, 14336, 32000, 32768, tied=False),
    "llama-3.2-1b": Geometry("llama", 16, 2048, 32, 8, 64, 8192, 128256, 131072),
    "smollm2-135m": Geometry("llama", 30, 576, 9, 3, 64, 1536, 49152, 8192),
    "qwen3-0.6b": Geometry("qwen3", 28, 1024, 16, 8, 128, 3072, 151936, 40960),
    "qwen3-4b": Geometry("qwen3", 36, 2560, 32, 8, 128, 9728, 151936, 40960),
    "qwen3-coder-30b-a3b": Geometry(
        "qwen3moe", 48, 2048, 32, 4, 128, 768, 151936, 262144, tied=False, experts=128, experts_used=8
    ),
    "gemma-3-1b": Geometry("gemma3", 26, 1152, 4, 1, 256, 6912, 262144, 32768, window=512),
    "lfm2-350m": Geometry("lfm2", 16, 1024, 16, 8, 64, 4608, 65536, 128000, attention_layers=(2, 5, 8, 10, 12, 14)),
    "mamba-130m": Geometry("mamba", 24, 768, 1, 0, 768, 0, 50280, 2048),
}

# Not for measuring: one of each kind of state, small enough for a test.
TINY = {
    "tiny-llama": Geometry("llama", 2, 256, 4, 2, 64, 512, 600, 1024),
    "tiny-moe": Geometry("qwen3moe", 2, 256, 4, 2, 64, 256, 600, 1024, experts=4, experts_used=2),
    "tiny-swa": Geometry("gemma3", 6, 256, 4, 1, 64, 512, 600, 1024, window=32),
    "tiny-hybrid": Geometry("lfm2", 4, 256, 4, 2, 64, 512, 600, 1024, attention_layers=(1, 3)),
    "tiny-recurrent": Geometry("mamba", 2, 256, 1, 0, 256, 0, 600, 1024),
    "tiny-longrope": Geometry("llama", 2, 256, 4, 2, 64, 512, 600, 1024, original_context=512),
}


@dataclass(frozen=True)
class Tensor:
    """`shape` with the fastest dimension first; `fill` is a constant for norms and biases, None = random."""

    name: str
    shape: tuple[int, ...]
    type: str
    fill: float | None = None

    @property
    def bytes(self) -> int:
        """Bytes of data."""
        _, kind = TYPES[self.type]
        return int(np.prod(self.shape)) // kind.block_values * kind.block_bytes


# ── tensors ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def tensors(shape: Geometry, quant: str) -> list[Tensor]:
    """All tensors of the model, in the order in which they are written."""
    choose = _Mix(shape, quant)
    found = [choose.matrix("token_embd.weight", shape.width, shape.vocabulary, role="output" if shape.tied else "")]
    final = "token_embd_norm.weight" if shape.arch == "lfm2" else "output_norm.weight"
    found.append(_vector(final, shape.width, 1.0))
    if not shape.tied:
        found.append(choose.matrix("output.weight", shape.width, shape.vocabulary, role="output"))
    if shape.original_context:
        found += [_vector(f"rope_factors_{which}.weight", shape.head_dim // 2, by) for which, by in ROPE_FACTORS]
    for layer in range(shape.layers):
        for tensor in _layer(shape, layer, choose):
            found.append(replace(tensor, name=f"blk.{layer}.{tensor.name}"))
    return found


class _Mix:
    """Which type a matrix gets, as llama-quantize chooses."""

    def __init__(self, shape: Geometry, quant: str) -> None:
        self._layers, self._quant = shape.layers, quant

    def matrix(self, name: str, columns: int, rows: int, *, role: str = "", layer: int = 0, experts: int = 0) -> Tensor:
        """A matrix of `rows` × `columns`, or one for each expert."""
        kind = self._type(role, layer)
        if columns % TYPES[kind][1].block_values:  # llama.cpp's fallbacks for widths that K-quants cannot divide
            kind = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}[kind]
        return Tensor(name, (columns, rows, experts) if experts else (columns, rows), kind)

    def _type(self, role: str, layer: int) -> str:
        if self._quant != "Q4_K_M":
            return "Q6_K" if role == "output" and self._quant == "Q4_0" else self._quant
        eighth = self._layers // 8
        more = layer < eighth or layer >= 7 * self._layers // 8 or (layer - eighth) % 3 == 2
        return "Q6_K" if role == "output" or (role == "fine" and more) else "Q4_K"


def _vector(name: str, length: int, value: float) -> Tensor:
    return Tensor(name, (length,), "F32", value)


def _layer(shape: Geometry, layer: int, choose: _Mix) -> Iterator[Tensor]:
    yield _vector("attn_norm.weight", shape.width, 1.0)
    if shape.arch == "mamba":
        yield from _mamba(shape, choose)
        return
    if shape.attention_layers is None or layer in shape.attention_layers:
        yield from _attention(shape, layer, choose)
    else:
        yield Tensor("shortconv.conv.weight", (3, shape.width), "F32", 0.3)
        yield choose.matrix("shortconv.in_proj.weight", shape.width, 3 * shape.width)
        yield choose.matrix("shortconv.out_proj.weight", shape.width, shape.width)
    yield _vector("ffn_norm.weight", shape.width, 1.0)
    if shape.arch == "gemma3":
        yield _vector("post_attention_norm.weight", shape.width, 1.0)
        yield _vector("post_ffw_norm.weight", shape.width, 1.0)
    yield from _feed_forward(shape, layer, choose)


def _attention(shape: Geometry, layer: int, choose: _Mix) -> Iterator[Tensor]:
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    yield choose.matrix("attn_q.weight", shape.width, queries)
    yield choose.matrix("attn_k.weight", shape.width, keys)
    yield choose.matrix("attn_v.weight", shape.width, keys, role="fine", layer=layer)
    yield choose.matrix("attn_output.weight", queries, shape.width)
    if shape.arch == "qwen2":
        for name, length in (("q", queries), ("k", keys), ("v", keys)):
            yield _vector(f"attn_{name}.bias", length, 0.0)
    if shape.arch in ("qwen3", "qwen3moe", "gemma3", "lfm2"):
        yield _vector("attn_q_norm.weight", shape.head_dim, 1.0)
        yield _vector("attn_k_norm.weight", shape.head_dim, 1.0)


def _feed_forward(shape: Geometry, layer: int, choose: _Mix) -> Iterator[Tensor]:
    wide, inner, experts = shape.width, shape.feed_forward, shape.experts
    suffix = "_exps.weight" if experts else ".weight"
    if experts:
        yield Tensor("ffn_gate_inp.weight", (wide, experts), "F32")
    yield choose.matrix("ffn_gate" + suffix, wide, inner, experts=experts)
    yield choose.matrix("ffn_up" + suffix, wide, inner, experts=experts)
    yield choose.matrix("ffn_down" + suffix, inner, wide, role="fine", layer=layer, experts=experts)


def _mamba(shape: Geometry, choose: _Mix) -> Iterator[Tensor]:
    inner, state, rank = 2 * shape.width, 16, shape.width // 16
    yield choose.matrix("ssm_in.weight", shape.width, 2 * inner)
    yield Tensor("ssm_conv1d.weight", (4, inner), "F32", 0.3)
    yield _vector("ssm_conv1d.bias", inner, 0.0)
    yield choose.matrix("ssm_x.weight", inner, rank + 2 * state)
    yield Tensor("ssm_dt.weight", (rank, inner), "F32")
    yield _vector("ssm_dt.bias", inner, -3.0)
    yield Tensor("ssm_a", (state, inner), "F32", -1.0)
    yield _vector("ssm_d", inner, 1.0)
    yield choose.matrix("ssm_out.weight", inner, shape.width)


# ── metadata ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def metadata(shape: Geometry, name: str, quant: str) -> dict[str, Any]:
    """All keys. Python ints become u32, floats f32."""
    numbers = {label: number for number, label in FILE_TYPES.items()}
    own: dict[str, Any] = {
        "context_length": shape.context,
        "embedding_length": shape.width,
        "block_count": shape.layers,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.layer_norm_rms_epsilon": 1e-6,
        "rope.freq_base": 1e6,
        "vocab_size": shape.vocabulary,
    }
    if shape.arch != "mamba":
        own |= {"attention.key_length": shape.head_dim, "attention.value_length": shape.head_dim}
        own |= {"rope.dimension_count": shape.head_dim}
    else:
        own |= {"ssm.conv_kernel": 4, "ssm.inner_size": 2 * shape.width, "ssm.state_size": 16}
        own |= {"ssm.time_step_rank": shape.width // 16}
    if shape.original_context:
        own |= {"rope.scaling.type": "longrope", "rope.scaling.original_context_length": shape.original_context}
    if shape.experts:
        own |= {"expert_count": shape.experts, "expert_used_count": shape.experts_used}
        own |= {"expert_feed_forward_length": shape.feed_forward}
    if shape.window:
        own["attention.sliding_window"] = shape.window
    if shape.attention_layers is not None:
        has = set(shape.attention_layers)
        own["attention.head_count_kv"] = [shape.kv_heads if i in has else 0 for i in range(shape.layers)]
        own["shortconv.l_cache"] = 3
    general = {
        "general.architecture": shape.arch,
        "general.name": f"synthetic {name}, random weights",
        "general.file_type": numbers[quant],
    }
    return {**general, **{f"{shape.arch}.{key}": value for key, value in own.items()}, **tokenizer(shape.vocabulary)}


def tokenizer(size: int) -> dict[str, Any]:
    """A byte-level BPE vocabulary: the bytes, then pairs and triples of printable characters, then the special tokens."""
    alphabet = _byte_alphabet()
    printable = [alphabet[byte] for byte in b" etaoinsrhldcumfpgwybvkxjqz_=().,:0123456789[]'\"+-*/<>#{}\n"]
    wanted = size - len(alphabet) - len(SPECIAL)
    pairs = [a + b for a, b in itertools.product(printable, repeat=2)]
    triples = ((pair, c) for pair in pairs for c in printable)
    merges = [f"{pair[0]} {pair[1]}" for pair in pairs][:wanted]
    merges += [f"{pair} {c}" for pair, c in itertools.islice(triples, max(0, wanted - len(merges)))]
    words = [*alphabet, *(merge.replace(" ", "") for merge in merges)]
    words += [f"<unused{i}>" for i in range(size - len(words) - len(SPECIAL))]
    normal, control = 1, 3
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": [*words, *SPECIAL],
        "tokenizer.ggml.token_type": [normal] * len(words) + [control] * len(SPECIAL),
        "tokenizer.ggml.merges": merges,
        "tokenizer.ggml.bos_token_id": size - 3,
        "tokenizer.ggml.eos_token_id": size - 1,
        "tokenizer.ggml.padding_token_id": size - 3,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": TEMPLATE,
    }


def _byte_alphabet() -> list[str]:
    """GPT-2's characters for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spare = itertools.count(256)
    return [chr(byte) if byte in plain else chr(next(spare)) for byte in range(256)]


# ── the file ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(path: Path, shape: Geometry, name: str, quant: str, *, seed: int = 0) -> int:
    """Writes the model and returns its bytes."""
    rows, keys = tensors(shape, quant), metadata(shape, name, quant)
    draw = np.random.default_rng(seed)
    with path.open("wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(rows), len(keys)))
        for key, value in keys.items():
            file.write(_text(key) + _value(value))
        offset = 0
        for row in rows:
            dimensions = struct.pack(f"<I{len(row.shape)}Q", len(row.shape), *row.shape)
            file.write(_text(row.name) + dimensions + struct.pack("<IQ", TYPES[row.type][0], offset))
            offset = padded(offset + row.bytes, ALIGNMENT)
        file.write(bytes(padded(file.tell(), ALIGNMENT) - file.tell()))
        tiles: dict[tuple[str, int], bytes] = {}
        for row in rows:
            _write_tensor(file, row, tiles, draw)
        return file.tell()


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _value(value: Any) -> bytes:
    """A type number and the value: bool 7, u32 4, i32 5 (arrays), f32 6, string 8, array 9."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    if value and isinstance(value[0], str):
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(_text, value))
    return struct.pack(f"<IIQ{len(value)}i", 9, 5, len(value), *value)


def _write_tensor(file: IO[bytes], row: Tensor, tiles: dict[tuple[str, int], bytes], draw: np.random.Generator) -> None:
    left = row.bytes
    if row.fill is not None:
        file.write(np.full(left // 4, row.fill, dtype="<f4").tobytes())
    else:
        key = (row.type, row.shape[0])
        if key not in tiles:
            tiles[key] = tile(row.type, row.shape[0], draw)
        while left > 0:
            left -= file.write(memoryview(tiles[key])[:left])
    file.write(bytes(padded(file.tell(), ALIGNMENT) - file.tell()))


def tile(kind: str, columns: int, draw: np.random.Generator) -> bytes:
    """About 1 MiB of blocks whose values have mean 0 and a standard deviation of 1/√columns, as trained weights roughly have."""
    deviation = columns**-0.5
    if kind in ("F32", "F16"):
        values = draw.standard_normal(TILE_BYTES // 4) * deviation
        return bytes(values.astype("<f4" if kind == "F32" else "<f2").tobytes())
    block = TYPES[kind][1].block_bytes
    count = TILE_BYTES // block
    blocks = draw.integers(0, 256, (count, block), dtype=np.uint8)
    if kind == "Q4_K":  # d, dmin, 12 bytes of 6-bit scales and minima (all 32), nibbles: 32 · d · (q − 7.5)
        blocks[:, 0:2], blocks[:, 2:4] = _half(deviation / 147), _half(7.5 * deviation / 147)
        blocks[:, 4:12], blocks[:, 12:16] = 0xA0, 0
    elif kind == "Q6_K":  # ql, qh, 16 scales (all 8), d: 8 · d · (q − 32)
        blocks[:, 192:208], blocks[:, 208:210] = 8, _half(deviation / 148)
    else:  # d first: d · (q − 8), d · (q − 16), d · q
        blocks[:, 0:2] = _half(deviation / {"Q4_0": 4.6, "Q5_0": 9.2, "Q8_0": 74}[kind])
    return bytes(blocks.tobytes())


def _half(value: float) -> Any:
    """The two bytes of a float16."""
    return np.frombuffer(struct.pack("<e", value), np.uint8)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("out", nargs="?", type=Path, help="the file to write")
    parser.add_argument("--like", choices=sorted({**PRESETS, **TINY}), help="whose geometry")
    parser.add_argument("--quant", choices=QUANTS, default="Q4_K_M")
    parser.add_argument("--layers", type=int, help="fewer or more layers than the original")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--list", action="store_true", help="print the presets and their sizes in bytes")
    args = parser.parse_args()
    if args.list:
        for name, shape in PRESETS.items():
            print(f"{name:22} {shape.arch:9} {sum(row.bytes for row in tensors(shape, args.quant)):>14,}")
        return
    if args.out is None or args.like is None:
        parser.error("--like PRESET and a file to write")
    shape = {**PRESETS, **TINY}[args.like]
    if args.layers:
        shape = replace(shape, layers=args.layers)
    print(f"{args.out}: {write(args.out, shape, args.like, args.quant, seed=args.seed):,} bytes")


if __name__ == "__main__":
    main()
