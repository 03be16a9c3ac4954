"""llama.cpp's contexts: a KV cache, batches, samplers; what the scheduler calls its Backend.

Every default of the binding that bites is set on purpose (context, threads, seed, flash attention). Only the engine's own process
imports this module. Not covered: which tokens go into a batch (scheduler.py).
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Sequence
from typing import Any

import llama_cpp as L

from cpu_codegen.engine.backend import UBATCH_TOKENS, Aborted, EngineFailure
from cpu_codegen.engine.binding import Model, NoContext
from cpu_codegen.schema import Sampling

_CELL_PADDING = 256

RANDOM_SEED = 0xFFFFFFFF
"""LLAMA_DEFAULT_SEED, for which llama.cpp takes a seed of its own, another one each time."""

_ABORTED = 2
_WHY_NOT = {1: "no room in the KV cache", -1: "it calls the batch invalid", -2: "out of memory for its buffers"}
"""What llama_decode's other codes mean, by llama.h."""

KV_TYPES = {
    "f32": L.GGML_TYPE_F32,
    "f16": L.GGML_TYPE_F16,
    "bf16": 30,  # GGML_TYPE_BF16, which the binding does not name
    "q8_0": L.GGML_TYPE_Q8_0,
    "q5_1": L.GGML_TYPE_Q5_1,
    "q5_0": L.GGML_TYPE_Q5_0,
    "q4_1": L.GGML_TYPE_Q4_1,
    "q4_0": L.GGML_TYPE_Q4_0,
    "iq4_nl": L.GGML_TYPE_IQ4_NL,
}


class AbortFlag:
    """Stops llama.cpp in the middle of a step, without any Python in its inner loop.

    llama.cpp asks `abort_callback(data)` between the nodes of its graph. The callback is libc's strlen on a buffer of one
    byte: 0 (go on) until that byte is set.
    """

    def __init__(self) -> None:
        self._byte = ctypes.create_string_buffer(2)
        libc = ctypes.CDLL("msvcrt" if os.name == "nt" else None)
        self.callback = ctypes.cast(libc.strlen, L.ggml_abort_callback)
        self.data = ctypes.cast(self._byte, ctypes.c_void_p)

    def set(self) -> None:
        """From now on every step ends early."""
        self._byte[0] = b"\1"

    def clear(self) -> None:
        """Steps run to their end again."""
        self._byte[0] = b"\0"

    @property
    def is_set(self) -> bool:
        """True while set."""
        return self._byte[0] != b"\0"


class Context:
    """A context, its KV cache unified or in one stream a sequence (layout.py): the scheduler's Backend."""

    batch_tokens = UBATCH_TOKENS

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        sequences: int,
        outputs: int,
        threads: int,
        kv_types: tuple[str, str] = ("f16", "f16"),
        streams: bool = False,
        abort: AbortFlag | None = None,
    ) -> None:
        self.model = model
        self.ends = model.ends
        self.piece = model.piece
        self.cells = (cells + _CELL_PADDING - 1) // _CELL_PADDING * _CELL_PADDING
        params = L.llama_context_default_params()
        params.n_ctx, params.n_batch, params.n_ubatch = self.cells, UBATCH_TOKENS, UBATCH_TOKENS
        params.n_seq_max, params.kv_unified, params.swa_full = sequences, not streams, True
        params.n_outputs_max = max(outputs, sequences)
        params.n_outputs_max_per_seq = outputs
        params.n_threads = params.n_threads_batch = threads
        params.type_k, params.type_v = KV_TYPES[kv_types[0]], KV_TYPES[kv_types[1]]
        needs_flash = kv_types[1] not in (
            "f32",
            "f16",
            "bf16",
        )  # llama.cpp reads a quantized V by flash attention alone
        params.flash_attn_type = L.LLAMA_FLASH_ATTN_TYPE_ENABLED if needs_flash else L.LLAMA_FLASH_ATTN_TYPE_AUTO
        params.no_perf = True
        self._abort = abort
        if abort is not None:
            params.abort_callback, params.abort_callback_data = abort.callback, abort.data
        self.pointer = L.llama_init_from_model(model.pointer, params)
        if not self.pointer:
            raise NoContext(f"no context of {self.cells} tokens")
        self._memory = L.llama_get_memory(self.pointer)
        self._greedy: Any = None
        self._chains: dict[int, Any] = {}
        self._make_batch()

    def _make_batch(self) -> None:
        """Arrays that live as long as the context, filled by slices: cheaper than llama_batch_init's nested pointers."""
        size = UBATCH_TOKENS
        self._tokens, self._positions = (L.llama_token * size)(), (L.llama_pos * size)()
        self._counts, self._outputs = (ctypes.c_int32 * size)(*[1] * size), (ctypes.c_int8 * size)()
        self._sequences = (L.llama_seq_id * size)()
        width, pointer = ctypes.sizeof(L.llama_seq_id), ctypes.POINTER(L.llama_seq_id)
        first = ctypes.addressof(self._sequences)
        lists = (pointer * size)(*[ctypes.cast(ctypes.c_void_p(first + i * width), pointer) for i in range(size)])
        self._batch = L.llama_batch()
        self._batch.token = ctypes.cast(self._tokens, ctypes.POINTER(L.llama_token))
        self._batch.pos = ctypes.cast(self._positions, ctypes.POINTER(L.llama_pos))
        self._batch.n_seq_id = ctypes.cast(self._counts, ctypes.POINTER(ctypes.c_int32))
        self._batch.seq_id = ctypes.cast(lists, ctypes.POINTER(pointer))
        self._batch.logits = ctypes.cast(self._outputs, ctypes.POINTER(ctypes.c_int8))
        self._lists = lists

    def decode(
        self, tokens: Sequence[int], positions: Sequence[int], sequences: Sequence[int], outputs: Sequence[int]
    ) -> None:
        """One step of llama_decode."""
        count = len(tokens)
        self._tokens[:count] = tokens
        self._positions[:count] = positions
        self._sequences[:count] = sequences
        self._outputs[:count] = list(outputs)
        self._batch.n_tokens = count
        code = L.llama_decode(self.pointer, self._batch)
        if code == 0:
            return
        if code == _ABORTED or (self._abort is not None and self._abort.is_set):
            raise Aborted
        raise EngineFailure(f"llama_decode of {count} tokens: {_WHY_NOT.get(code, 'it failed')} (code {code})")

    def sample(self, sampler: Any, index: int) -> int:
        """Draws with the sample's own chain."""
        token: int = L.llama_sampler_sample(sampler, self.pointer, index)
        return token

    def copy(self, source: int, target: int) -> None:
        """All of a sequence, never a part: right for recurrent state, too."""
        L.llama_memory_seq_cp(self._memory, source, target, -1, -1)

    def forget(self, sequence: int) -> None:
        """All of a sequence; that never fails."""
        L.llama_memory_seq_rm(self._memory, sequence, -1, -1)

    def trim(self, sequence: int, position: int) -> None:
        """A sequence's tokens from `position` on."""
        if not L.llama_memory_seq_rm(self._memory, sequence, position, -1):
            raise EngineFailure("this model cannot forget a part of a sequence")

    def clear(self) -> None:
        """Empties all sequences."""
        L.llama_memory_clear(self._memory, False)

    def new_sampler(self, sampling: Sampling, seed: int) -> Any:
        """llama.cpp's own samplers in its usual order. Greedy ones have no state, so one serves all.

        A chain keeps a table of the whole vocabulary (1.8 MB for 152,000 tokens).
        """
        if sampling.temperature <= 0 and self._greedy is not None:
            return self._greedy
        chain = _chain([*_forbidding(self.model), *_choosing(sampling, seed)])
        self._chains[id(chain)] = chain
        if sampling.temperature <= 0:
            self._greedy = chain
        return chain

    def free_sampler(self, sampler: Any) -> None:
        """Frees a chain and what it holds; the greedy one lives as long as the context."""
        if sampler is not self._greedy:
            L.llama_sampler_free(self._chains.pop(id(sampler)))

    def synchronize(self) -> None:
        """Waits for a step's results, as reading them would."""
        L.llama_synchronize(self.pointer)

    def set_threads(self, threads: int) -> None:
        """For the next steps."""
        L.llama_set_n_threads(self.pointer, threads, threads)

    def close(self) -> None:
        """Frees the context and the chains of samples that a run which was left had open; may be called twice."""
        self._greedy = None
        while self._chains:
            L.llama_sampler_free(self._chains.popitem()[1])
        if self.pointer:
            L.llama_free(self.pointer)
            self.pointer = None


def _chain(samplers: Sequence[Any]) -> Any:
    params = L.llama_sampler_chain_default_params()
    params.no_perf = True
    chain = L.llama_sampler_chain_init(params)
    for sampler in samplers:
        L.llama_sampler_chain_add(chain, sampler)
    return chain


def _forbidding(model: Model) -> list[Any]:
    """Tokens that the model's file forbids are never drawn; first in the chain, as in llama.cpp's own tools."""
    count = len(model.suppressed)
    if not count:
        return []
    biases = (L.llama_logit_bias * count)(*[(token, -math.inf) for token in model.suppressed])
    return [L.llama_sampler_init_logit_bias(model.vocabulary, count, biases)]


def _choosing(sampling: Sampling, seed: int) -> list[Any]:
    if sampling.temperature <= 0:
        return [L.llama_sampler_init_greedy()]
    chain = []
    if sampling.top_k > 0:
        chain.append(L.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        chain.append(L.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        chain.append(L.llama_sampler_init_min_p(sampling.min_p, 1))
    return [*chain, L.llama_sampler_init_temp(sampling.temperature), L.llama_sampler_init_dist(_fixed(seed))]


def _fixed(seed: int) -> int:
    """The seed as llama.cpp takes it, never the one that means "any"."""
    return min(seed & RANDOM_SEED, RANDOM_SEED - 1)
