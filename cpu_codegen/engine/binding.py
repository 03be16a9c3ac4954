"""llama.cpp through llama-cpp-python's low-level API: the library itself, one model and its vocabulary.

Only processes that run llama.cpp import this module: `import llama_cpp` takes 200 ms and maps the native library. Every default of
the binding that bites is set on purpose (device, how the file is loaded). Not covered: contexts (context.py), batching
(scheduler.py), errors in words (diagnosis.py); what fails here has written why to the log.
"""

from __future__ import annotations

import ctypes
import os
from typing import Any, Literal

import llama_cpp as L

from cpu_codegen.engine.backend import EngineFailure
from cpu_codegen.extraction.fences import REASONING_TAGS

MemoryKind = Literal["attention", "swa", "recurrent", "hybrid"]


_LOAD_MODES = {(False, False): 0, (True, False): 1, (False, True): 2, (True, True): 3}
"""(mmap, mlock) → llama_load_mode: none, mmap, mlock, both."""

_NO_DEVICES = (ctypes.c_void_p * 1)(None)
"""An empty list. Without it a build that knows a GPU has long prompts computed there, even with no layer on it (op_offload)."""


class LoadFailed(Exception):
    """llama.cpp gave no model back; its log says why."""


class NoContext(LoadFailed):
    """It gave no context back: most often there is no memory for it."""


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


def cpu_model_params() -> Any:
    """How llama.cpp loads a model onto the CPU alone, in every build."""
    params = L.llama_model_default_params()
    params.n_gpu_layers, params.devices = 0, ctypes.addressof(_NO_DEVICES)
    return params


class Model:
    """A loaded GGUF and its vocabulary."""

    def __init__(self, path: str, *, mmap: bool = True, mlock: bool = False) -> None:
        params = cpu_model_params()
        if hasattr(params, "load_mode"):
            params.load_mode = _LOAD_MODES[mmap, mlock]
        else:  # builds before llama.cpp had one field for both
            params.use_mmap, params.use_mlock = mmap, mlock
        self.pointer = L.llama_model_load_from_file(os.fsencode(path), params)
        if not self.pointer:
            raise LoadFailed(path)
        self.vocab = L.llama_model_get_vocab(self.pointer)
        self.vocabulary: int = L.llama_vocab_n_tokens(self.vocab)
        self._refuse_unfit()
        self.ends = frozenset(t for t in range(self.vocabulary) if L.llama_vocab_is_eog(self.vocab, t))
        self.suppressed = _suppressed(self.vocab)
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
        found = self._tokens(text.encode("utf-8", errors="replace"), add_special=add_special)
        if add_special and len(found) > 1 and L.llama_vocab_get_add_eos(self.vocab) and found[-1] in self.ends:
            found.pop()  # an end of text at the end of a prompt would end the answer before it begins
        return found or [max(L.llama_vocab_bos(self.vocab), 0)]

    def _tokens(self, data: bytes, *, add_special: bool) -> list[int]:
        """A tokenizer may want more room than a token a byte (some put words in front): it says how much, and is asked again."""
        size = len(data) + 16
        for _ in range(2):
            tokens = (L.llama_token * size)()
            count = L.llama_tokenize(self.vocab, data, len(data), tokens, size, add_special, True)
            if count >= 0:
                return list(tokens[:count])
            size = -count
        raise EngineFailure(f"the tokenizer wants {size} tokens for {len(data)} bytes, and does not take them")

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


def _suppressed(vocab: Any) -> tuple[int, ...]:
    """Tokens that the file says must never be drawn (tokenizer.ggml.suppress_tokens); older builds do not read that key."""
    if not hasattr(L, "llama_vocab_get_suppress_tokens"):
        return ()
    count = ctypes.c_int32()
    found = L.llama_vocab_get_suppress_tokens(vocab, ctypes.byref(count))
    return tuple(found[: count.value]) if found else ()
