"""llama.cpp through llama-cpp-python's low-level API: one model, its vocabulary, and contexts that are a scheduler's Backend.

Only the engine's own process imports this module: `import llama_cpp` takes 200 ms and maps the native library. Every default of
the binding that bites is set on purpose (context, threads, seed, device). Not covered: batching (scheduler.py), errors in words
(diagnosis.py); what fails here has written why to the log.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Sequence
from typing import Any, Literal

import llama_cpp as L

from cpu_codegen.engine.backend import Aborted, EngineFailure
from cpu_codegen.extraction.fences import REASONING_TAGS
from cpu_codegen.schema import Sampling

MemoryKind = Literal["attention", "swa", "recurrent", "hybrid"]
MAX_SEQUENCES = 256
UBATCH_TOKENS = 512
_CELL_PADDING = 256

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


class LoadFailed(Exception):
    """llama.cpp gave no model or no context back; its log says why."""


class UnsupportedModel(Exception):
    """A model that cannot continue text: an encoder, a diffusion model, one without a vocabulary."""


def log_to_stderr() -> None:
    """llama.cpp's own lines go to stderr unfiltered (the worker's stderr is the run's log file)."""
    L.llama_log_set(L.llama_log_callback(0), None)


def start_backend() -> None:
    """Once per process."""
    log_to_stderr()
    L.llama_backend_init()


def build_name() -> str:
    """`llama-cpp-python 0.3.36 (llama.cpp 0.5.0-dev)`."""
    return f"llama-cpp-python {L.__version__} (llama.cpp {L.llama_version().decode()})"


def build_flags() -> str:
    """What this build uses of the CPU."""
    return str(L.llama_print_system_info().decode().strip())


class Model:
    """A loaded GGUF and its vocabulary."""

    def __init__(self, path: str) -> None:
        params = L.llama_model_default_params()
        params.n_gpu_layers = 0
        self.pointer = L.llama_model_load_from_file(os.fsencode(path), params)
        if not self.pointer:
            raise LoadFailed(path)
        self.vocab = L.llama_model_get_vocab(self.pointer)
        self.vocabulary: int = L.llama_vocab_n_tokens(self.vocab)
        self._refuse_unfit()
        self.ends = frozenset(t for t in range(self.vocabulary) if L.llama_vocab_is_eog(self.vocab, t))
        self._pieces: list[bytes | None] = [None] * self.vocabulary
        self._buffer = ctypes.create_string_buffer(256)

    def _refuse_unfit(self) -> None:
        if L.llama_model_has_encoder(self.pointer) or not L.llama_model_has_decoder(self.pointer):
            raise UnsupportedModel("it has an encoder: a model for embeddings or translation")
        if L.llama_model_is_diffusion(self.pointer):
            raise UnsupportedModel("it is a diffusion model")
        if L.llama_vocab_type(self.vocab) == L.LLAMA_VOCAB_TYPE_NONE or self.vocabulary < 2:
            raise UnsupportedModel("it has no vocabulary")

    @property
    def description(self) -> str:
        """llama.cpp's words for it: `qwen2 1.5B Q4_K - Medium`."""
        length = L.llama_model_desc(self.pointer, self._buffer, len(self._buffer))
        return self._buffer.raw[: max(length, 0)].decode("utf-8", errors="replace")

    @property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return int(L.llama_model_n_params(self.pointer))

    @property
    def memory_kind(self) -> MemoryKind:
        """What kind of state a sequence has."""
        if L.llama_model_is_recurrent(self.pointer):
            return "recurrent"
        if L.llama_model_is_hybrid(self.pointer):
            return "hybrid"
        return "swa" if L.llama_model_n_swa(self.pointer) > 0 else "attention"

    def tokenize(self, text: str, *, add_special: bool) -> list[int]:
        """Tokens of a prompt; special tokens in its text count as such. Never empty."""
        data = text.encode("utf-8", errors="replace")
        size = len(data) + 16
        tokens = (L.llama_token * size)()
        count = L.llama_tokenize(self.vocab, data, len(data), tokens, size, add_special, True)
        if count < 0:
            raise EngineFailure(f"the tokenizer wanted {-count} tokens for {len(data)} bytes")
        found = list(tokens[:count])
        if add_special and len(found) > 1 and L.llama_vocab_get_add_eos(self.vocab) and found[-1] in self.ends:
            found.pop()  # an end of text at the end of a prompt would end the answer before it begins
        return found or [max(L.llama_vocab_bos(self.vocab), 0)]

    def piece(self, token: int) -> bytes:
        """A token's bytes. Control tokens have none, except those that mark reasoning."""
        piece = self._pieces[token]
        if piece is None:
            piece = self._render(token, special=False)
            if not piece:
                marked = self._render(token, special=True)
                text = marked.decode("utf-8", errors="replace")
                piece = marked if any(text and text in tag for tags in REASONING_TAGS for tag in tags) else b""
            self._pieces[token] = piece
        return piece

    def _render(self, token: int, *, special: bool) -> bytes:
        length = L.llama_token_to_piece(self.vocab, token, self._buffer, len(self._buffer), 0, special)
        if length < 0:
            buffer = ctypes.create_string_buffer(-length)
            length = L.llama_token_to_piece(self.vocab, token, buffer, -length, 0, special)
            return buffer.raw[: max(length, 0)]
        return self._buffer.raw[:length]

    def close(self) -> None:
        """Frees the model."""
        if self.pointer:
            L.llama_model_free(self.pointer)
            self.pointer = None


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
        params.flash_attn_type = L.LLAMA_FLASH_ATTN_TYPE_AUTO
        params.no_perf = True
        self._abort = abort
        if abort is not None:
            params.abort_callback, params.abort_callback_data = abort.callback, abort.data
        self.pointer = L.llama_init_from_model(model.pointer, params)
        if not self.pointer:
            raise LoadFailed(f"no context of {self.cells} tokens")
        self._memory = L.llama_get_memory(self.pointer)
        self._greedy: Any = None
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
        if code == 2 or (self._abort is not None and self._abort.is_set):
            raise Aborted
        why = "no room in the KV cache" if code == 1 else "it failed"
        raise EngineFailure(f"llama_decode of {count} tokens: {why} (code {code})")

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
        if sampling.temperature > 0:
            return _chain(sampling, seed)
        if self._greedy is None:
            self._greedy = _chain(sampling, seed)
        return self._greedy

    def free_sampler(self, sampler: Any) -> None:
        """Frees a chain and what it holds; the greedy one lives as long as the context."""
        if sampler is not self._greedy:
            L.llama_sampler_free(sampler)

    def synchronize(self) -> None:
        """Waits for a step's results, as reading them would."""
        L.llama_synchronize(self.pointer)

    def set_threads(self, threads: int) -> None:
        """For the next steps."""
        L.llama_set_n_threads(self.pointer, threads, threads)

    def close(self) -> None:
        """Frees the context."""
        if self._greedy is not None:
            L.llama_sampler_free(self._greedy)
            self._greedy = None
        if self.pointer:
            L.llama_free(self.pointer)
            self.pointer = None


def _chain(sampling: Sampling, seed: int) -> Any:
    params = L.llama_sampler_chain_default_params()
    params.no_perf = True
    chain = L.llama_sampler_chain_init(params)
    for sampler in _samplers(sampling, seed):
        L.llama_sampler_chain_add(chain, sampler)
    return chain


def _samplers(sampling: Sampling, seed: int) -> list[Any]:
    if sampling.temperature <= 0:
        return [L.llama_sampler_init_greedy()]
    chain = []
    if sampling.top_k > 0:
        chain.append(L.llama_sampler_init_top_k(sampling.top_k))
    if sampling.top_p < 1:
        chain.append(L.llama_sampler_init_top_p(sampling.top_p, 1))
    if sampling.min_p > 0:
        chain.append(L.llama_sampler_init_min_p(sampling.min_p, 1))
    return [*chain, L.llama_sampler_init_temp(sampling.temperature), L.llama_sampler_init_dist(seed & 0xFFFFFFFF)]
