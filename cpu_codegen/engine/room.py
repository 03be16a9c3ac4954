"""How much memory a model's sequences need, from its header. Pure.

Formula: per token and layer with attention, kv heads × (key length + value length) × bytes per value; layers without attention
(recurrent ones) keep a state of fixed size, which is not counted here.
"""

from __future__ import annotations

from typing import Any

from cpu_codegen.errors import MachineError
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


def kv_cell_bytes(header: GgufHeader, kv_types: tuple[str, str]) -> int:
    """Bytes of KV cache for one token of context; 0 where the header does not say (a recurrent model)."""
    key_type, value_type = BYTES_PER_VALUE[kv_types[0]], BYTES_PER_VALUE[kv_types[1]]
    layers = header.layers or 0
    latent = header.number(f"{header.architecture}.attention.kv_lora_rank")
    if latent is not None and header.number(f"{header.architecture}.attention.key_length_mla") is not None:
        rope = header.number(f"{header.architecture}.rope.dimension_count") or 0
        return round(layers * ((latent + rope) * key_type))
    heads = header.of_architecture("attention.head_count")
    kv_heads = _per_layer(header.of_architecture("attention.head_count_kv") or heads, layers)
    all_heads = _per_layer(heads, layers)
    width = header.number(f"{header.architecture}.embedding_length") or 0
    habit = width // max(all_heads, default=1) if max(all_heads, default=0) else 0
    key = header.number(f"{header.architecture}.attention.key_length") or habit
    value = header.number(f"{header.architecture}.attention.value_length") or habit
    return round(sum(kv_heads) * (key * key_type + value * value_type))


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
