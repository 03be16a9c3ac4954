"""The calibration's child process: times llama_decode on synthetic models and prints one JSON line for each result.

Alone in its process because llama.cpp may crash on a wrong build, and because its parent ends it when time is over. It can be
killed at any moment: the folder is its parent's to remove, and a model's file loses its name as soon as llama.cpp has it open.
"""

from __future__ import annotations

import ctypes
import json
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cpu_codegen.linux_files import read_text
from cpu_codegen.plan.synthetic import Dense, tensor_bytes, write_dense

BATCHES = ((1, 4), (4, 1), (8, 1), (16, 1), (128, 1))
"""Tokens in a step, and how often the step is timed in each round."""

ROUNDS = 3
"""Rounds of all batches: a moment that another program takes hits all of them, and the median none. The largest, which takes most
of the time and varies least, is left out of the first."""

TARGET_BYTES, MOST_BYTES = 100_000_000, 400_000_000
CACHES = 4
"""A type's weights are this many times what the last cache holds: a real model is read from memory, not from a cache."""

WIDTH, FEED_FORWARD, HEADS, KV_HEADS = 2048, 5632, 16, 4
THIN = Dense(layers=16, width=128, feed_forward=128, heads=2, kv_heads=2, vocabulary=256)
_DEEP = Dense(layers=4, width=1024, feed_forward=256, heads=8, kv_heads=2, vocabulary=256)
_DEPTH, _PIECE = 1024, 128


def main(arguments: Sequence[str]) -> None:
    """`folder threads budget_s type…`: the models are written into the folder."""
    path, threads, deadline = Path(arguments[0]), int(arguments[1]), time.monotonic() + float(arguments[2])
    path /= "synthetic.gguf"
    import llama_cpp

    log: list[str] = []
    callback = llama_cpp.llama_log_callback(lambda _level, text, _data: log.append(text.decode(errors="replace")))
    llama_cpp.llama_log_set(callback, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    layer_s = _layer_seconds(llama_cpp, path, threads)
    _tell({"layer_s": layer_s})
    kinds = arguments[3:]
    for number, kind in enumerate(kinds):
        log.clear()
        until = time.monotonic() + (deadline - time.monotonic()) / (len(kinds) - number)
        _tell(_time_type(llama_cpp, path, kind, threads=threads, layer_s=layer_s, log=log, until=until))
        if number == 0:
            _tell({"attention_s": attention_seconds(llama_cpp, path, threads)})
        if time.monotonic() > deadline:
            return


def _tell(record: dict[str, Any]) -> None:
    print(json.dumps(record), flush=True)


def _layer_seconds(library: Any, path: Path, threads: int) -> float:
    """A layer's cost apart from its weights: the operations' start and the threads' meetings."""
    write_dense(path, THIN, lambda _name, _layer: "q8_0")
    with opened(library, path, threads, context=256) as decode:
        times = [decode(1) for _ in range(26)]
    return float(statistics.median(times[2:])) / THIN.layers


def _time_type(
    library: Any, path: Path, kind: str, *, threads: int, layer_s: float, log: list[str], until: float
) -> dict[str, Any]:
    """All batches at least once, and again while there is time: until `until` of the monotonic clock."""
    shape = shape_for(kind)
    write_dense(path, shape, lambda _name, _layer: kind)
    values = shape.layers * layer_values()
    times: dict[int, list[float]] = {tokens: [] for tokens, _ in BATCHES}
    with opened(library, path, threads, context=1024) as decode:
        decode(4)
        for number in range(ROUNDS):
            if number > 1 and time.monotonic() > until:
                break
            for tokens, repeats in BATCHES if number else BATCHES[:-1]:
                times[tokens] += [decode(tokens) for _ in range(repeats)]
    middle = {tokens: statistics.median(found) for tokens, found in times.items()}
    least = {tokens: min(found) for tokens, found in times.items()}
    seconds, fastest = (
        {tokens: max(step - shape.layers * layer_s, 0.1 * step) / values for tokens, step in steps.items()}
        for steps in (middle, least)
    )
    spread = (middle[1] - least[1]) / middle[1]
    repacked = any("CPU_REPACK model buffer size" in line for line in log)
    return {"type": kind, "seconds": seconds, "fastest": fastest, "spread": spread, "repacked": repacked}


def shape_for(kind: str) -> Dense:
    """At least two layers: more than the caches hold, less than a second of disk."""
    target = max(TARGET_BYTES, min(MOST_BYTES, CACHES * last_cache_bytes()))
    layers = max(2, round(target / tensor_bytes((layer_values(),), kind)))
    return Dense(layers, WIDTH, FEED_FORWARD, HEADS, KV_HEADS, vocabulary=256)


def last_cache_bytes(root: Path = Path("/")) -> int:
    """The largest cache of the first core, as the kernel states it (8192K, 32M); 0 = it does not."""
    units = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    texts = [read_text(path) or "" for path in (root / "sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    return max(
        (int(text[:-1]) * units[text[-1]] for text in texts if text[:-1].isdigit() and text[-1] in units), default=0
    )


def layer_values() -> int:
    """Weights of one layer of the synthetic models."""
    kv = WIDTH // HEADS * KV_HEADS
    return 2 * WIDTH * WIDTH + 2 * WIDTH * kv + 3 * WIDTH * FEED_FORWARD


def attention_seconds(library: Any, path: Path, threads: int) -> dict[int, float]:
    """For one token, one position behind it and one value of its queries: steps far in, less steps at the beginning.

    Token by token, and a piece of a prompt at once, which llama.cpp computes in another way.
    """
    write_dense(path, _DEEP, lambda _name, _layer: "q8_0")
    with opened(library, path, threads, context=_DEPTH + 2 * _PIECE) as decode:
        decode(1)
        shallow = statistics.median(decode(1) for _ in range(15))
        pieces = [decode(_PIECE) for _ in range(_DEPTH // _PIECE)]
        deep = statistics.median(decode(1) for _ in range(15))
    per_position = _DEEP.layers * _DEEP.width
    growth = statistics.median(pieces[-3:]) - statistics.median(pieces[:3])
    between = (len(pieces) - 3) * _PIECE  # positions from the middle of the first three to that of the last three
    return {
        1: max(deep - shallow, 0.0) / (_DEPTH * per_position),
        _PIECE: max(growth, 0.0) / (between * _PIECE * per_position),
    }


@contextmanager
def opened(library: Any, path: Path, threads: int, *, context: int) -> Iterator[Any]:
    """A function that decodes the next n tokens and gives back its seconds. The file at `path` is gone afterwards."""
    from cpu_codegen.engine.binding import cpu_model_params

    model = library.llama_model_load_from_file(str(path).encode(), cpu_model_params())
    with suppress(OSError):  # Windows removes no open file: its folder goes with the parent
        path.unlink()
    if not model:
        raise SystemExit("llama.cpp did not load the synthetic model")
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
