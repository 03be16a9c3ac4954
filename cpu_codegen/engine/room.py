"""How much memory a model's sequences need, from its header. Pure.

Formula: per token and layer with attention, kv heads × (key length + value length) × bytes per value; layers without attention
(recurrent ones) keep a state of fixed size for every sequence (`state_bytes`). Layers that use an earlier one's cache (Gemma 3n, 4)
or serve only to guess tokens ahead keep none. A sliding window saves nothing: contexts are made with `swa_full`, because a prefix
that sequences share must be there as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.gguf_header import GgufHeader
from cpu_codegen.sizes import format_bytes

BYTES_PER_VALUE = {
    "f32": 4.0,
    "f16": 2.0,
    "bf16": 2.0,
    "q8_0": 34 / 32,
    "q5_1": 24 / 32,
    "q5_0": 22 / 32,
    "q4_1": 20 / 32,
    "q4_0": 18 / 32,
    "iq4_nl": 18 / 32,
}
OVERHEAD_BYTES = 150_000_000
"""Compute buffers and the process itself."""

KV_SHARE = 0.5
"""Of the memory that is left beside the model."""


_RECURRENT = re.compile(r"blk\.(\d+)\.(?:ssm_|shortconv\.|time_mix_)")
_ATTENDING = re.compile(r"blk\.(\d+)\.attn_k\.")
STATE_VALUE_BYTES = 4
"""llama.cpp keeps recurrent state as 32-bit numbers."""

BLOCK_VALUES = 32
"""Values that share a scale in the quantized types above."""

_GEMMA3N_CACHING_LAYERS = 20
"""Older files of that architecture do not state it, and llama.cpp has it as a constant."""

ANY_CONTEXT = (0, 1 << 50)
"""Bounds that bound nothing."""

_NO_FLASH_ATTENTION = frozenset({"grok"})
"""Architectures for which llama.cpp leaves flash attention off (llama-context.cpp)."""


def parse_kv_types(text: str) -> tuple[str, str]:
    """`q8_0` for both, or `k=q8_0,v=f16` (what is not named is f16) → types of K and V. UsageError otherwise."""
    known = ", ".join(BYTES_PER_VALUE)
    parts = [part.strip().lower() for part in text.split(",")]
    pairs = dict(part.split("=", 1) for part in parts if part.count("=") == 1)
    if len(parts) == 1 and not pairs:
        pairs = {"k": parts[0], "v": parts[0]}
    elif len(pairs) != len(parts) or not set(pairs) <= {"k", "v"}:
        raise UsageError(f"--kv-type {text!r} is not understood", remedy="--kv-type q8_0, or --kv-type k=q8_0,v=f16")
    for name in pairs.values():
        if name not in BYTES_PER_VALUE:
            raise UsageError(
                f"--kv-type: there is no KV cache of type {name!r}", remedy=f"--kv-type with one of {known}"
            )
    return pairs.get("k", "f16"), pairs.get("v", "f16")


def refuse_kv_types(header: GgufHeader, kv_types: tuple[str, str]) -> None:
    """llama.cpp's rules: blocks must divide a head; a quantized V needs flash attention, which it then turns on."""
    for which, kind in zip("KV", kv_types, strict=True):
        if kind not in BYTES_PER_VALUE:
            raise UsageError(
                f"no KV cache of type {kind!r}", remedy=f"--kv-type with one of {', '.join(BYTES_PER_VALUE)}"
            )
        size = _head_size(header, "key_length" if which == "K" else "value_length")
        if is_quantized(kind) and size % BLOCK_VALUES:
            raise UsageError(
                f"the {which} cache of {header.name} cannot be {kind}: its heads have {size} values, no multiple of "
                f"{BLOCK_VALUES}",
                remedy="--kv-type f16",
            )
    if is_quantized(kv_types[1]) and header.architecture in _NO_FLASH_ATTENTION:
        raise UsageError(
            f"a quantized V cache needs flash attention, which llama.cpp does not do for {header.architecture}",
            remedy=f"--kv-type k={kv_types[0]},v=f16",
        )


def is_quantized(kind: str) -> bool:
    """Blocks with a scale, not single numbers."""
    return kind not in ("f32", "f16", "bf16")


def _head_size(header: GgufHeader, key: str) -> int:
    """Values of one head, as the header states them or by habit: width over heads."""
    stated = header.number(f"{header.architecture}.attention.{key}")
    heads = max(_per_layer(header.of_architecture("attention.head_count"), header.layers or 0), default=0)
    width = header.number(f"{header.architecture}.embedding_length") or 0
    return stated or (width // heads if heads else 0)


def within(available_bytes: int | None, limit_bytes: int | None) -> int | None:
    """Memory to be had, under --max-ram if there is one; None = unknown."""
    known = [value for value in (available_bytes, limit_bytes) if value is not None]
    return min(known, default=None)


def kv_cell_bytes(header: GgufHeader, kv_types: tuple[str, str]) -> int:
    """Bytes of KV cache for one token of context; 0 for a recurrent model."""
    key_type, value_type = BYTES_PER_VALUE[kv_types[0]], BYTES_PER_VALUE[kv_types[1]]
    layers = _caching_layers(header)
    latent = header.number(f"{header.architecture}.attention.kv_lora_rank")
    if latent is not None and header.number(f"{header.architecture}.attention.key_length_mla") is not None:
        rope = header.number(f"{header.architecture}.rope.dimension_count") or 0
        return round(layers * ((latent + rope) * key_type))
    kept = zip(_kv_heads(header)[:layers], _head_sizes(header), strict=False)
    return round(sum(heads * (key * key_type + value * value_type) for heads, (key, value) in kept))


def _caching_layers(header: GgufHeader) -> int:
    """The first so many keep keys and values of their own (llama.cpp's n_layer_kv_from_start)."""

    def number(key: str) -> int:
        return header.number(f"{header.architecture}.{key}") or 0

    layers, shared = header.layers or 0, number("attention.shared_kv_layers")
    if header.architecture == "gemma3n" and not shared:
        return min(layers, _GEMMA3N_CACHING_LAYERS)
    return max(layers - shared - number("nextn_predict_layers"), 0)


def _head_sizes(header: GgufHeader) -> list[tuple[int, int]]:
    """Lengths of key and value in every layer: those with a sliding window may have lengths of their own (Gemma 4)."""
    full = _head_size(header, "key_length"), _head_size(header, "value_length")
    stated = (header.number(f"{header.architecture}.attention.{name}_swa") for name in ("key_length", "value_length"))
    windowed = tuple(of_window or of_all for of_window, of_all in zip(stated, full, strict=True))
    return [(windowed[0], windowed[1]) if has_window else full for has_window in _windows(header)]


def _windows(header: GgufHeader) -> list[bool]:
    """Whether each layer has a sliding window: stated one by one, or as a period whose last layer has none."""
    pattern, layers = header.of_architecture("attention.sliding_window_pattern"), header.layers or 0
    if isinstance(pattern, int):
        return [pattern > 0 and layer % pattern < pattern - 1 for layer in range(layers)]
    told = [bool(flag) for flag in pattern[:layers]] if isinstance(pattern, Sequence) else []
    return told + [False] * (layers - len(told))


def state_bytes(header: GgufHeader) -> int:
    """Bytes of recurrent state of one sequence, 0 without. Per layer the last inputs of its convolution and its state proper.

    Formula: llama.cpp's n_embd_r + n_embd_s (llama-hparams.cpp) for RWKV, short convolutions (LFM2), Kimi's delta attention, Mamba.
    """

    def number(key: str) -> int:
        return header.number(f"{header.architecture}.{key}") or 0

    width, kernel = number("embedding_length"), number("ssm.conv_kernel")
    heads = max(_per_layer(header.of_architecture("attention.head_count"), header.layers or 0), default=0)
    if wkv := number("wkv.head_size"):
        values = width * ((number("token_shift_count") or 2) + wkv)
    elif cached := number("shortconv.l_cache"):
        values = width * (cached - 1)
    elif size := number("kda.head_dim"):
        values = heads * size * (3 * (max(kernel, 4) - 1) + size)
    else:
        inner, state = number("ssm.inner_size"), number("ssm.state_size")
        values = max(kernel - 1, 0) * (inner + 2 * number("ssm.group_count") * state) + inner * state
    return len(_layers_with(header, _RECURRENT)) * values * STATE_VALUE_BYTES


def _layers_with(header: GgufHeader, name: re.Pattern[str]) -> frozenset[int]:
    """Numbers of the layers that have such a tensor."""
    return frozenset(int(found[1]) for tensor in header.tensors if (found := name.match(tensor.name)))


def _kv_heads(header: GgufHeader) -> list[int]:
    """Of every layer; 0 for those that keep a recurrent state instead of keys and values."""
    heads = header.of_architecture("attention.head_count")
    stated = _per_layer(header.of_architecture("attention.head_count_kv") or heads, header.layers or 0)
    without = _layers_with(header, _RECURRENT) - _layers_with(header, _ATTENDING)
    return [0 if layer in without else count for layer, count in enumerate(stated)]


def context_bounds(header: GgufHeader, ctx_tokens: int) -> tuple[int, int]:
    """What llama.cpp may take for the context of one sequence of `ctx_tokens`, at least and at most, without turning the text.

    LongRoPE models (Phi-3, Phi-4-mini, MiniCPM) carry two sets of rope factors. llama.cpp takes the long ones for all tokens once
    the context is longer than that of their first training (llama_model::get_rope_factors): both sides of it write other texts.
    """
    if not any("rope_factors_long" in tensor.name for tensor in header.tensors):
        return ANY_CONTEXT
    original = header.number(f"{header.architecture}.rope.scaling.original_context_length") or header.context_length
    if original is None:
        return ANY_CONTEXT
    return (0, original) if ctx_tokens <= original else (original + 1, ANY_CONTEXT[1])


def query_values(header: GgufHeader) -> int:
    """Heads × their length, over all layers with attention."""
    layers = header.layers or 0
    heads = header.of_architecture("attention.head_count")
    kv_heads = _kv_heads(header)
    each = zip(_per_layer(heads, layers), kv_heads, _head_sizes(header), strict=False)
    return sum(count * (key + value) for count, shared, (key, value) in each if shared) // 2


def _per_layer(value: Any, layers: int) -> list[int]:
    """A number for all layers, or an array with one for each."""
    if isinstance(value, int):
        return [value] * layers
    return [int(item) for item in value] if value is not None else []


def kv_room_bytes(model_bytes: int, available_bytes: int | None) -> int:
    """What the KV cache may take of the memory that is available now, before the model is loaded."""
    if available_bytes is None:
        return 1 << 30
    return max(64 << 20, round(KV_SHARE * (available_bytes - model_bytes - OVERHEAD_BYTES)))


def refuse_without_memory(name: str, model_bytes: int, available_bytes: int | None) -> None:
    """Raises MachineError before llama.cpp dies of it without a word."""
    need = model_bytes + OVERHEAD_BYTES
    if available_bytes is not None and need > available_bytes:
        raise MachineError(
            f"not enough free memory for {name} (needs ≈ {format_bytes(need)}, {format_bytes(available_bytes)} available)",
            remedy="a smaller model or quantization, or close other programs",
        )
