"""The calibration's child process: times llama_decode on synthetic models and prints one JSON line for each result.

Alone in its process because llama.cpp may crash on a wrong build, and because its parent ends it when time is over.
"""

from __future__ import annotations

import ctypes
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cpu_codegen.plan.synthetic import Dense, tensor_bytes, write_dense

BATCHES = ((1, 7), (4, 3), (8, 3), (16, 2), (128, 1))
"""Tokens in a step, and how often the step is timed."""

TARGET_BYTES = 100_000_000
WIDTH, FEED_FORWARD, HEADS, KV_HEADS = 2048, 5632, 16, 4
_THIN = Dense(layers=12, width=256, feed_forward=256, heads=4, kv_heads=4, vocabulary=256)
_DEEP = Dense(layers=4, width=1024, feed_forward=256, heads=16, kv_heads=16, vocabulary=256)
_DEPTH = 1024


def main(arguments: Sequence[str]) -> None:
    """`threads budget_s type…`."""
    threads, deadline = int(arguments[0]), time.monotonic() + float(arguments[1])
    import llama_cpp

    log: list[str] = []
    callback = llama_cpp.llama_log_callback(lambda _level, text, _data: log.append(text.decode(errors="replace")))
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    with tempfile.TemporaryDirectory(prefix="cpu-codegen-") as folder:
        path = Path(folder) / "synthetic.gguf"
        layer_s = _layer_seconds(llama_cpp, path, threads)
        _tell({"layer_s": layer_s})
        for number, kind in enumerate(arguments[2:]):
            log.clear()
            _tell(_time_type(llama_cpp, path, kind, threads=threads, layer_s=layer_s, log=log))
            if number == 0:
                _tell({"kv_byte_s": _kv_seconds(llama_cpp, path, threads)})
            if time.monotonic() > deadline:
                return


def _tell(record: dict[str, Any]) -> None:
    print(json.dumps(record), flush=True)


def _layer_seconds(library: Any, path: Path, threads: int) -> float:
    """A layer's cost apart from its weights: the operations' start and the threads' meetings."""
    write_dense(path, _THIN, lambda _name, _layer: "q8_0")
    with _opened(library, path, threads, context=256) as decode:
        times = [decode(1) for _ in range(10)]
    return _robust(times[2:]) / _THIN.layers


def _time_type(library: Any, path: Path, kind: str, *, threads: int, layer_s: float, log: list[str]) -> dict[str, Any]:
    shape = _shape_for(kind)
    write_dense(path, shape, lambda _name, _layer: kind)
    values = shape.layers * _layer_values()
    seconds: dict[int, float] = {}
    spread = 0.0
    with _opened(library, path, threads, context=512) as decode:
        decode(4)
        for tokens, repeats in BATCHES:
            times = [decode(tokens) for _ in range(repeats)]
            step = _robust(times)
            if tokens == 1:
                spread = (statistics.median(times) - min(times)) / step
            seconds[tokens] = max(step - shape.layers * layer_s, 0.1 * step) / values
    repacked = any("CPU_REPACK model buffer size" in line for line in log)
    return {"type": kind, "seconds": seconds, "spread": spread, "repacked": repacked}


def _robust(times: Sequence[float]) -> float:
    """The lower quartile: other programs only ever add to a step's time."""
    return sorted(times)[len(times) // 4]


def _shape_for(kind: str) -> Dense:
    """Two to four layers: more than the caches hold, less than a second of disk."""
    layers = max(2, min(4, round(TARGET_BYTES / tensor_bytes((_layer_values(),), kind))))
    return Dense(layers, WIDTH, FEED_FORWARD, HEADS, KV_HEADS, vocabulary=256)


def _layer_values() -> int:
    kv = WIDTH // HEADS * KV_HEADS
    return 2 * WIDTH * WIDTH + 2 * WIDTH * kv + 3 * WIDTH * FEED_FORWARD


def _kv_seconds(library: Any, path: Path, threads: int) -> float:
    """Seconds per byte of KV cache that one token's attention reads: a step far in, less a step at the beginning."""
    write_dense(path, _DEEP, lambda _name, _layer: "q8_0")
    with _opened(library, path, threads, context=_DEPTH + 64) as decode:
        shallow = _robust([decode(1) for _ in range(8)])
        for _ in range(_DEPTH // 128):
            decode(128)
        deep = _robust([decode(1) for _ in range(8)])
    return max(deep - shallow, 0.0) / (_DEPTH * _DEEP.layers * 2 * _DEEP.width * 2)


@contextmanager
def _opened(library: Any, path: Path, threads: int, *, context: int) -> Iterator[Any]:
    """A function that decodes the next n tokens and gives back its seconds."""
    model_params = library.llama_model_default_params()
    model_params.n_gpu_layers = 0
    model = library.llama_model_load_from_file(str(path).encode(), model_params)
    params = library.llama_context_default_params()
    params.n_ctx = context
    params.n_batch = params.n_ubatch = 128
    params.n_threads = params.n_threads_batch = threads
    params.no_perf = True
    pointer = library.llama_init_from_model(model, params)
    if not pointer:
        raise SystemExit("llama.cpp gave no context")
    batch = library.llama_batch_init(128, 0, 1)
    position = 0

    def decode(tokens: int) -> float:
        nonlocal position
        if position + tokens > context:
            library.llama_memory_clear(library.llama_get_memory(pointer), False)
            position = 0
        batch.n_tokens = tokens
        for i in range(tokens):
            batch.token[i], batch.pos[i], batch.logits[i] = (7 * i + 3) % 256, position + i, True
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
        began = time.perf_counter()
        if library.llama_decode(pointer, batch) != 0:
            raise SystemExit("llama_decode failed")
        library.llama_synchronize(pointer)
        position += tokens
        return time.perf_counter() - began

    try:
        yield decode
    finally:
        library.llama_batch_free(batch)
        library.llama_free(pointer)
        library.llama_model_free(model)


if __name__ == "__main__":
    main(sys.argv[1:])
