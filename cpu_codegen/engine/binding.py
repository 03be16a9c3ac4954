"""llama.cpp through llama-cpp-python's low-level API; the only module that touches `llama_cpp`. Runs in the worker's process.

Every default of the binding that bites is set on purpose: context size, seed, threads, unified cache, template, logging.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Sequence
from typing import Any

import llama_cpp as ll
import numpy as np

from cpu_codegen.engine.entry import Entry
from cpu_codegen.schema import Sampling

BATCH_TOKENS = 512  # tokens of one llama_decode: llama.cpp's own ubatch, where prefill reaches its full speed
KV_TYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "bf16": 30}
_NO_FLASH, _FLASH = 0, 1


class LoadError(Exception):
    """llama.cpp gave no model or no context; its log says why."""


class DecodeError(Exception):
    """llama_decode failed: 1 = no room in the cache, 2 = aborted, negative = a fault."""


class Model:
    """A loaded GGUF: vocabulary and facts. Free it with `close`."""

    def __init__(self, path: str, *, mmap: bool = True, mlock: bool = False) -> None:
        ll.llama_backend_init()
        parameters = ll.llama_model_default_params()
        parameters.n_gpu_layers = 0
        parameters.load_mode = int(mmap) + 2 * int(mlock)  # LLAMA_LOAD_MODE_*: a bit for each
        self.handle = ll.llama_model_load_from_file(path.encode(), parameters)
        if not self.handle:
            raise LoadError("llama.cpp could not load the model")
        self.vocabulary = ll.llama_model_get_vocab(self.handle)
        self._pieces: dict[int, bytes] = {}

    def close(self) -> None:
        """Gives the memory back."""
        if self.handle:
            ll.llama_model_free(self.handle)
            self.handle = None

    @property
    def is_recurrent(self) -> bool:
        """State instead of a cache: nothing of it can be copied or removed in part."""
        return bool(ll.llama_model_is_recurrent(self.handle) or ll.llama_model_is_hybrid(self.handle))

    @property
    def trained_context(self) -> int:
        """Tokens."""
        return int(ll.llama_model_n_ctx_train(self.handle))

    @property
    def cache_bytes_per_token(self) -> int:
        """Upper bound for an f16 cache: all layers keep keys and values of all their heads."""
        heads, kv_heads = ll.llama_model_n_head(self.handle), ll.llama_model_n_head_kv(self.handle)
        width = ll.llama_model_n_embd(self.handle) // max(1, heads) * max(1, kv_heads)
        return int(2 * 2 * width * ll.llama_model_n_layer(self.handle))

    def metadata(self, name: str) -> str:
        """One value of the file's metadata, "" where it has none."""
        buffer = ctypes.create_string_buffer(256)
        size = ll.llama_model_meta_val_str(self.handle, name.encode(), buffer, len(buffer))
        return buffer.value.decode("utf-8", "replace") if size >= 0 else ""

    def tokenize(self, text: str, *, add_special: bool) -> list[int]:
        """Text → tokens; special tokens written in the text are recognised, as chat templates need."""
        raw = text.encode("utf-8", "replace")
        for room in (len(raw) + 8, -1):
            size = room if room > 0 else -found
            tokens = (ll.llama_token * size)()
            found = ll.llama_tokenize(self.vocabulary, raw, len(raw), tokens, size, add_special, True)
            if found >= 0:
                return list(tokens[:found])
        raise LoadError("the tokenizer failed")

    def piece(self, token: int) -> bytes:
        """A token's bytes; b"" for control tokens."""
        known = self._pieces.get(token)
        if known is None:
            buffer = (ctypes.c_char * 256)()
            size = ll.llama_token_to_piece(self.vocabulary, token, buffer, len(buffer), 0, False)
            if size < 0:
                buffer = (ctypes.c_char * -size)()
                size = ll.llama_token_to_piece(self.vocabulary, token, buffer, -size, 0, False)
            known = self._pieces[token] = bytes(buffer[:size]) if size > 0 else b""
        return known

    def is_end(self, token: int) -> bool:
        """Whether the token ends the answer."""
        return bool(ll.llama_vocab_is_eog(self.vocabulary, token))


class Context:
    """The cache of a model for `sequences` sequences of together `cells` tokens, and the buffers of one step."""

    def __init__(
        self, model: Model, *, cells: int, sequences: int, threads: int, kv_types: tuple[str, str] = ("f16", "f16")
    ) -> None:
        self.model = model
        self.batch_tokens = BATCH_TOKENS
        parameters = ll.llama_context_default_params()
        parameters.n_ctx = math.ceil(cells / 256) * 256
        parameters.n_batch = parameters.n_ubatch = BATCH_TOKENS
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.kv_unified = True
        parameters.swa_full = True  # prefixes are copied: a window alone would not hold them
        parameters.type_k, parameters.type_v = (KV_TYPES[name] for name in kv_types)
        parameters.no_perf = True
        self.handle = ll.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise LoadError(f"llama.cpp made no context of {parameters.n_ctx} tokens")
        self.memory = ll.llama_get_memory(self.handle)
        self._batch = ll.llama_batch_init(BATCH_TOKENS, 0, 1)
        self._token = _view(self._batch.token)
        self._position = _view(self._batch.pos)
        self._logits = _view(self._batch.logits)
        self._sequence = np.zeros(BATCH_TOKENS, dtype=np.int32)
        _view(self._batch.n_seq_id)[:] = 1
        pointers = ctypes.cast(self._batch.seq_id, ctypes.POINTER(ctypes.c_void_p))
        self._own_pointers = [pointers[i] for i in range(BATCH_TOKENS)]
        for i in range(BATCH_TOKENS):
            pointers[i] = self._sequence.ctypes.data + 4 * i

    def close(self) -> None:
        """Gives the memory back."""
        if self.handle:
            pointers = ctypes.cast(self._batch.seq_id, ctypes.POINTER(ctypes.c_void_p))
            for i, pointer in enumerate(self._own_pointers):
                pointers[i] = pointer  # llama_batch_free frees what it made
            ll.llama_batch_free(self._batch)
            ll.llama_free(self.handle)
            self.handle = None

    def step(self, entries: Sequence[Entry]) -> None:
        """Decodes the entries, at most `batch_tokens`, in one pass over the weights. Raises DecodeError."""
        count = len(entries)
        self._token[:count] = [entry.token for entry in entries]
        self._position[:count] = [entry.position for entry in entries]
        self._sequence[:count] = [entry.sequence for entry in entries]
        self._logits[:count] = [entry.wants_logits for entry in entries]
        self._batch.n_tokens = count
        code = ll.llama_decode(self.handle, self._batch)
        if code != 0:
            raise DecodeError(f"llama_decode gave {code}")

    def sample(self, sampler: Any, row: int) -> int:
        """The next token of the sequence whose logits stand at `row` of the last step."""
        return int(ll.llama_sampler_sample(sampler, self.handle, row))

    def copy(self, source: int, target: int, length: int) -> None:
        """The first `length` tokens of one sequence become another's; cells are shared, nothing is computed."""
        ll.llama_memory_seq_cp(self.memory, source, target, 0, length)

    def drop(self, sequence: int) -> None:
        """Forgets a sequence."""
        ll.llama_memory_seq_rm(self.memory, sequence, -1, -1)

    def piece(self, token: int) -> bytes:
        """A token's bytes."""
        return self.model.piece(token)

    def is_end(self, token: int) -> bool:
        """Whether the token ends the answer."""
        return self.model.is_end(token)

    def make_sampler(self, sampling: Sampling, seed: int) -> Any:
        """llama.cpp's own samplers in its usual order; greedy at temperature 0. Free it with `free_sampler`."""
        chain = ll.llama_sampler_chain_init(ll.llama_sampler_chain_default_params())
        if sampling.temperature <= 0:
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_greedy())
            return chain
        if sampling.top_k > 0:
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_top_k(sampling.top_k))
        if sampling.top_p < 1:
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_top_p(sampling.top_p, 1))
        if sampling.min_p > 0:
            ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_min_p(sampling.min_p, 1))
        ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_temp(sampling.temperature))
        ll.llama_sampler_chain_add(chain, ll.llama_sampler_init_dist(seed & 0xFFFFFFFE))  # all ones would mean "random"
        return chain

    def free_sampler(self, sampler: Any) -> None:
        """Gives a sampler back."""
        ll.llama_sampler_free(sampler)


def _view(pointer: Any) -> Any:
    """A C array of one step as a numpy array, so that a step is filled by slices."""
    return np.ctypeslib.as_array(pointer, shape=(BATCH_TOKENS,))


def version() -> str:
    """The binding's version."""
    return str(ll.__version__)


def system_info() -> str:
    """llama.cpp's own words on what it was built for."""
    return " ".join(ll.llama_print_system_info().decode().split())
