#!/usr/bin/env python3
"""The least that a batched loop over llama.cpp can be: llama_decode, llama.cpp's greedy sampler, nothing of this project.

    scripts/bare_loop.py MODEL --texts FILE --width 32 --tokens 128 --threads 2

Raw calls of llama-cpp-python's binding; batches are filled through pointers. The prompts' common beginning is decoded once and
copied into every sequence; each round of `width` prompts is prefilled one after the other and then decoded together. Prints one
JSON line: tokens, seconds, decode rate at the full width, prompt tokens decoded, anonymous memory. bench_engine.py runs it in a
process of its own and holds the engine against it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import time
from pathlib import Path
from typing import Any

import llama_cpp as L

from cpu_codegen.engine.binding import cpu_model_params

UBATCH, PADDING = 512, 256


class Loop:
    """A model, a context with one stream a sequence, a batch, a sampler."""

    def __init__(self, path: str) -> None:
        L.llama_log_set(L.llama_log_callback(0), None)
        L.llama_backend_init()
        self.model = L.llama_model_load_from_file(os.fsencode(path), cpu_model_params())
        self.decoded = 0

    def open(self, *, sequences: int, cells_each: int, threads: int) -> None:
        """The context, one stream a sequence, and what goes with it."""
        params = L.llama_context_default_params()
        params.n_ctx = sequences * cells_each
        params.n_batch = params.n_ubatch = UBATCH
        params.n_seq_max = params.n_outputs_max = sequences
        params.n_outputs_max_per_seq = 1
        params.kv_unified = sequences == 1
        params.swa_full = params.no_perf = True
        params.n_threads = params.n_threads_batch = threads
        self.context = L.llama_init_from_model(self.model, params)
        if not self.context:
            raise SystemExit("llama.cpp gave no context")
        self.memory = L.llama_get_memory(self.context)
        self.batch = L.llama_batch_init(UBATCH, 0, 1)
        self.sampler = L.llama_sampler_chain_init(L.llama_sampler_chain_default_params())
        L.llama_sampler_chain_add(self.sampler, L.llama_sampler_init_greedy())

    def tokenize(self, text: str) -> list[int]:
        """Tokens of a prompt."""
        data, vocab = text.encode(), L.llama_model_get_vocab(self.model)
        tokens = (L.llama_token * (len(data) + 16))()
        return list(tokens[: L.llama_tokenize(vocab, data, len(data), tokens, len(tokens), True, True)])

    def prefill(self, tokens: list[int], position: int, sequence: int) -> int:
        """Decodes a prompt in steps of 512; the number of its last token in the last step."""
        batch, last = self.batch, 0
        for start in range(0, len(tokens), UBATCH):
            part = tokens[start : start + UBATCH]
            for i, token in enumerate(part):
                batch.token[i], batch.pos[i], batch.seq_id[i][0] = token, position + start + i, sequence
                batch.n_seq_id[i], batch.logits[i] = 1, start + i + 1 == len(tokens)
            batch.n_tokens, last = len(part), len(part) - 1
            self._decode()
        return last

    def step(self, tokens: list[int], positions: list[int]) -> list[int]:
        """One token of every sequence, and the next ones."""
        batch, width = self.batch, len(tokens)
        for i in range(width):
            batch.token[i], batch.pos[i], batch.seq_id[i][0] = tokens[i], positions[i], i
            batch.n_seq_id[i], batch.logits[i] = 1, True
        batch.n_tokens = width
        self._decode()
        return [self.draw(i) for i in range(width)]

    def draw(self, index: int) -> int:
        """The next token behind the index-th of the last step."""
        return int(L.llama_sampler_sample(self.sampler, self.context, index))

    def _decode(self) -> None:
        self.decoded += int(self.batch.n_tokens)
        if L.llama_decode(self.context, self.batch) != 0:
            raise SystemExit("llama_decode failed")


def run(loop: Loop, prompts: list[list[int]], *, width: int, tokens: int) -> dict[str, Any]:
    """All prompts in rounds of `width`."""
    common = next(i for i in range(len(prompts[0])) if len({prompt[i] for prompt in prompts}) > 1)
    began, decode_s, steps, prompt_tokens = time.perf_counter(), 0.0, 0, 0
    loop.prefill(prompts[0][:common], 0, width)
    for start in range(0, len(prompts), width):
        group = prompts[start : start + width]
        last = []
        for sequence, prompt in enumerate(group):
            L.llama_memory_seq_cp(loop.memory, width, sequence, -1, -1)
            last.append(loop.draw(loop.prefill(prompt[common:], common, sequence)))
        prompt_tokens = loop.decoded - steps
        positions, decoding = [len(prompt) for prompt in group], time.perf_counter()
        for _ in range(tokens - 1):
            last = loop.step(last, positions)
            positions = [position + 1 for position in positions]
        decode_s += time.perf_counter() - decoding
        steps += (tokens - 1) * len(group)
        for sequence in range(len(group)):
            L.llama_memory_seq_rm(loop.memory, sequence, -1, -1)
    seconds = time.perf_counter() - began
    return {
        "tokens": len(prompts) * tokens,
        "seconds": seconds,
        "decode_rate": steps / decode_s,
        "shared_tokens": common,
        "prompt_tokens": prompt_tokens,
        "anonymous_bytes": anonymous_bytes(),
    }


def anonymous_bytes() -> int | None:
    """This process's own memory; None where /proc does not say."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--texts", required=True, help="a JSON file with a list of prompts that begin alike")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    texts = json.loads(Path(args.texts).read_text(encoding="utf-8"))
    loop = Loop(args.model)
    prompts = [loop.tokenize(text) for text in texts]
    each = (max(map(len, prompts)) + args.tokens + PADDING - 1) // PADDING * PADDING
    loop.open(sequences=args.width + 1, cells_each=each, threads=args.threads)
    print(json.dumps(run(loop, prompts, width=args.width, tokens=args.tokens)))


if __name__ == "__main__":
    main()
