"""What memory and speed follow from: a model's tensors by type and use, its KV cache, its widths.

Exact from a GGUF's header (a local file, or a few range requests); from models.yaml's geometry with llama.cpp's own rules for which
tensor gets which type in a `_K_M` mix; without either only the file's length is known.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cpu_codegen.engine.room import BYTES_PER_VALUE, kv_cell_bytes, query_values, state_bytes
from cpu_codegen.gguf_header import MAX_LAYERS, GgufHeader
from cpu_codegen.gguf_types import TYPES_BY_NAME
from cpu_codegen.models.spec import Geometry, ModelSpec

Use = Literal["layer", "expert", "head", "embedding"]
"""`embedding`: rows are looked up, so that it costs memory and no time."""

Basis = Literal["header", "geometry", "size"]


USUAL_VOCABULARY = 64_000
"""Where nobody saw it: between the 32,000 of the first models and the 152,000 of today's."""


@dataclass(frozen=True, slots=True)
class Weights:
    """`values` numbers of one tensor type with one use."""

    type: str
    use: Use
    values: int

    @property
    def bytes(self) -> int:
        """Their storage."""
        kind = TYPES_BY_NAME.get(self.type)
        return round(self.values * kind.bits_per_value / 8) if kind else self.values


@dataclass(frozen=True, slots=True)
class Shape:
    """`experts_share` is the part of expert weights that one token uses. `state_bytes`: recurrent state of one sequence.

    `query_values`: heads × their length, over all layers with attention: what one token compares with each position behind it.
    `entries` are the tokens whose texts are held in memory: the vocabulary, or none in a file without a tokenizer.
    """

    basis: Basis
    file_bytes: int | None
    weights: tuple[Weights, ...]
    layers: int
    width: int
    feed_forward: int
    vocabulary: int
    context: int | None
    cell_bytes: float
    state_bytes: float = 0.0
    experts_share: float = 1.0
    is_unusual: bool = False
    entries: int = 0
    query_values: int = 0

    @property
    def weight_bytes(self) -> int:
        """All tensors."""
        return self.file_bytes or sum(part.bytes for part in self.weights)

    @property
    def types(self) -> set[str]:
        """Tensor types whose speed matters."""
        return {part.type for part in self.weights if part.use != "embedding" and part.values}


def shape_of_header(header: GgufHeader, kv_types: tuple[str, str] = ("f16", "f16")) -> Shape:
    """Every tensor as the file lists it."""
    architecture = header.architecture

    def number(key: str) -> int:
        return header.number(f"{architecture}.{key}") or 0

    is_tied = not any(tensor.name == "output.weight" for tensor in header.tensors)
    ahead = number("nextn_predict_layers")
    layers = max((header.layers or 0) - ahead, 0)
    totals: dict[tuple[str, Use], int] = defaultdict(int)
    for tensor in header.tensors:
        if len(tensor.shape) > 1:
            totals[tensor.type, _use(tensor.name, is_tied, layers if ahead else MAX_LAYERS)] += tensor.values
    experts, used = number("expert_count"), number("expert_used_count")
    state = state_bytes(header)
    return Shape(
        basis="header",
        file_bytes=header.file_bytes,
        weights=tuple(Weights(kind, use, values) for (kind, use), values in totals.items()),
        layers=layers,
        width=number("embedding_length"),
        feed_forward=max(_largest(header, "feed_forward_length"), number("expert_feed_forward_length") * max(used, 1)),
        vocabulary=header.vocabulary or 0,
        context=header.context_length,
        cell_bytes=kv_cell_bytes(header, kv_types),
        state_bytes=state,
        experts_share=used / experts if experts and used else 1.0,
        is_unusual=bool(experts or state),
        entries=header.vocabulary or 0 if "tokenizer.ggml.tokens" in header.metadata else 0,
        query_values=query_values(header),
    )


def _largest(header: GgufHeader, key: str) -> int:
    """A number, or of an array with one for each layer the largest."""
    value = header.of_architecture(key)
    return max(value, default=0) if isinstance(value, Sequence) else value or 0


_LOOKED_UP = ("per_layer_token_embd.", "position_embd.", "token_types.")
"""Tables beside the embedding of which a token takes a row: Gemma 3n's and 4's are half of the file."""

_BLOCK = re.compile(r"blk\.(\d{1,9})\.")


def _use(name: str, is_tied: bool, layers: int) -> Use:
    """Of layers beyond the first `layers`, which only guess tokens ahead, nothing is multiplied: as of an embedding."""
    if name == "token_embd.weight":
        return "head" if is_tied else "embedding"
    if name == "output.weight":
        return "head"
    block = _BLOCK.match(name)
    if name.startswith(_LOOKED_UP) or (block and int(block[1]) >= layers):
        return "embedding"
    return "expert" if "_exps" in name else "layer"


def _state_bytes(shape: Geometry) -> float:
    """Where no header tells, per sequence: LFM2's short convolutions keep two tokens, Mamba-2 twice the width × 128 values."""
    per_layer = 2 if shape.architecture.startswith("lfm2") else 2 * 128
    return shape.recurrent_layers * shape.width * per_layer * 4


def shape_of_spec(spec: ModelSpec, kv_types: tuple[str, str] = ("f16", "f16")) -> Shape | None:
    """From the registry's geometry; from the length alone when there is none; None when nothing is known."""
    shape = spec.geometry
    if shape is None:
        return _of_size(spec) if spec.size_bytes else None
    if not shape.vocabulary:
        shape = replace(shape, vocabulary=USUAL_VOCABULARY)
    key, value = BYTES_PER_VALUE[kv_types[0]], BYTES_PER_VALUE[kv_types[1]]
    kv_layers = shape.kv_layers + shape.window_layers or (0 if shape.recurrent_layers else shape.layers)
    weights = tuple(_grouped(shape, spec.quant))
    estimated = sum(part.bytes for part in weights)
    if spec.size_bytes and shape.tied_head:
        weights += _head_stored_twice(shape, spec, estimated)
        estimated = sum(part.bytes for part in weights)
    if spec.size_bytes and shape.architecture in _EMBEDDED_PER_LAYER and spec.size_bytes > estimated:
        weights += (_missing_table(spec, spec.size_bytes - estimated),)
    elif spec.size_bytes and estimated:
        # what the rules miss (unusual blocks) is in the file's length: spread it evenly
        factor = spec.size_bytes / estimated
        weights = tuple(Weights(part.type, part.use, round(part.values * factor)) for part in weights)
    return Shape(
        basis="geometry",
        file_bytes=spec.size_bytes,
        weights=weights,
        layers=shape.layers,
        width=shape.width,
        feed_forward=max(shape.feed_forward, shape.expert_feed_forward * max(shape.experts_used, 1)),
        vocabulary=shape.vocabulary,
        context=spec.context,
        cell_bytes=kv_layers * shape.kv_heads * shape.head_size * (key + value),
        state_bytes=_state_bytes(shape),
        experts_share=shape.experts_used / shape.experts if shape.experts else 1.0,
        is_unusual=bool(shape.experts or shape.recurrent_layers or spec.geometry_note),
        entries=shape.vocabulary,
        query_values=kv_layers * shape.heads * shape.head_size,
    )


_EMBEDDED_PER_LAYER = frozenset({"gemma3n", "gemma4"})
"""Architectures with a table of embeddings for each layer, which a geometry does not list."""


def _missing_table(spec: ModelSpec, missing_bytes: int) -> Weights:
    kind = _main_type(spec.quant)
    return Weights(kind, "embedding", round(missing_bytes * 8 / TYPES_BY_NAME[kind].bits_per_value))


_VOCABULARY_BYTES = 39
"""A token in a header: text, kind, and its merge."""


def _head_stored_twice(shape: Geometry, spec: ModelSpec, estimated: int) -> tuple[Weights, ...]:
    """Some publishers store a tied head a second time: the file's length gives it away."""
    values = shape.width * shape.vocabulary
    missing = (spec.size_bytes or 0) - estimated - _VOCABULARY_BYTES * shape.vocabulary
    for kind in ("q4_k", "q5_0", "q6_k", "q8_0", "q4_0", "f16"):
        embedding = Weights(_fitting(kind, shape.width), "embedding", values)
        if abs(missing - embedding.bytes) < 0.01 * (spec.size_bytes or 0):
            return (embedding,)
    return ()


def _of_size(spec: ModelSpec) -> Shape:
    """All that a length says: that many bytes are read for each token."""
    kind = _main_type(spec.quant)
    size = spec.size_bytes or 0
    values = round(size * 8 / TYPES_BY_NAME[kind].bits_per_value)
    # 120 kB of KV per token lie in the middle of what 7 B models with grouped heads need
    weights = (Weights(kind, "layer", values),)
    return Shape(
        "size",
        size,
        weights,
        32,
        3072,
        9216,
        USUAL_VOCABULARY,
        spec.context,
        120_000,
        is_unusual=True,
        entries=USUAL_VOCABULARY,
        query_values=32 * 3072,
    )


def _grouped(shape: Geometry, quant: str) -> Iterator[Weights]:
    totals: dict[tuple[str, Use], int] = defaultdict(int)
    for kind, use, values in _tensors(shape, quant):
        totals[kind, use] += values
    for (kind, use), values in totals.items():
        yield Weights(kind, use, values)


def _tensors(shape: Geometry, quant: str) -> Iterator[tuple[str, Use, int]]:
    width, kv = shape.width, shape.kv_heads * shape.head_size
    base, better = _main_type(quant), _better_type(quant)
    head = "q8_0" if base == "q8_0" else better if base not in ("f16", "bf16", "f32") else base
    embedding = shape.width * shape.vocabulary
    yield _fitting(head, width), "head", embedding
    if not shape.tied_head:
        yield _fitting(base, width), "embedding", embedding
    for layer in range(shape.layers):
        raised = better if _use_more_bits(layer, shape.layers) else base
        yield _fitting(base, width), "layer", 2 * width * shape.heads * shape.head_size + width * kv
        yield _fitting(raised, width), "layer", width * kv
        if shape.feed_forward and not shape.experts:
            ups = 1 if shape.architecture in _UNGATED else 2
            yield _fitting(base, width), "layer", ups * width * shape.feed_forward
            yield _fitting(raised, shape.feed_forward), "layer", width * shape.feed_forward
        elif shape.experts:
            inner = shape.expert_feed_forward or shape.feed_forward
            yield _fitting(base, width), "expert", 2 * width * inner * shape.experts
            yield _fitting(raised, inner), "expert", width * inner * shape.experts


def _use_more_bits(layer: int, layers: int) -> bool:
    """llama.cpp's rule for the layers that get more bits in a `_M` mix (llama-quant.cpp, use_more_bits)."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


_UNGATED = {"starcoder2", "phi2", "gpt2", "gptneox", "starcoder", "nemotron", "falcon", "mpt"}
"""Architectures whose feed-forward has one matrix up, not two."""

_MAIN = {"mxfp4_moe": "mxfp4", "fp16": "f16", "fp32": "f32"}
_BETTER = {"q2_k": "q3_k", "q3_k": "q5_k", "q4_k": "q6_k", "q5_k": "q6_k"}


def _main_type(quant: str) -> str:
    """`ud-q4_k_m` → `q4_k`."""
    name = _MAIN.get(quant, quant).removeprefix("ud-")
    for candidate in (name, name.rpartition("_")[0]):
        if candidate in TYPES_BY_NAME:
            return candidate
    return "q4_k"


def _better_type(quant: str) -> str:
    base = _main_type(quant)
    if not quant.endswith(("_m", "_l", "q2_k")):
        return "q6_k" if base in ("q4_0", "q4_1", "q5_0", "q5_1") else base
    return _BETTER.get(base, base)


def _fitting(kind: str, row: int) -> str:
    """Rows that are no multiple of 256 cannot take a K type: llama.cpp falls back (llama-quant.cpp)."""
    if TYPES_BY_NAME[kind].block_values != 256 or row % 256 == 0:
        return kind
    return {"q4_k": "q5_0", "q5_k": "q5_1", "q6_k": "q8_0"}.get(kind, "q4_0")
