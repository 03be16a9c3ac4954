"""Timed steps for `bench`, in the engine's process: llama-bench's quantities, token by token. Knows nothing of statistics.

pp: a prompt of n tokens in one go, behind `depth` tokens. tg: n tokens one after the other, each behind all before it. As in
llama-bench, tokens are drawn at random and nothing is sampled; `sampled=True` draws greedily, as a user's answer does.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from cpu_codegen.engine import meters
from cpu_codegen.engine.backend import UBATCH_TOKENS
from cpu_codegen.engine.context import Context
from cpu_codegen.schema import Sampling

if TYPE_CHECKING:
    from cpu_codegen.engine.opened import Opened


def measure(opened: Opened, command: dict[str, Any]) -> dict[str, Any]:
    """One repetition of `prompt` tokens and then `generated` tokens at a depth, with so many threads.

    Seconds of the prompt, seconds of every generated token, and what the process used meanwhile.
    """
    prompt, generated, depth = command["prompt"], command["generated"], command["depth"]
    context = opened.context(cells=depth + prompt + generated + 1, sequences=1, outputs=1)
    try:
        context.set_threads(command["threads"])
        tokens = _random_tokens(depth + prompt + generated, opened.model.vocabulary, seed=command["seed"])
        _feed(context, tokens[:depth], 0)
        before, clock_before, throttled = meters.usage(), meters.clock_mhz(), meters.throttle_count()
        energy = opened.energy_joules()
        began = time.perf_counter()
        _feed(context, tokens[depth : depth + prompt], depth)
        prompt_s = time.perf_counter() - began
        token_s = _generate(context, tokens[depth + prompt :], depth + prompt, sampled=command["sampled"])
        wall_s, after = time.perf_counter() - began, meters.usage()
        return {
            "prompt_s": prompt_s,
            "token_s": token_s,
            "wall_s": wall_s,
            "cpu_s": after.cpu_s - before.cpu_s,
            "minor_faults": _difference(after.minor_faults, before.minor_faults),
            "major_faults": _difference(after.major_faults, before.major_faults),
            "energy_j": _difference(opened.energy_joules(), energy),
            "clock_mhz": _mean(clock_before, meters.clock_mhz()),
            "throttled": _difference(meters.throttle_count(), throttled),
            "memory": opened.memory(),
        }
    finally:
        context.close()


def _random_tokens(count: int, vocabulary: int, *, seed: int) -> list[int]:
    randomly = random.Random(seed)
    return [randomly.randrange(vocabulary) for _ in range(count)]


def _feed(context: Context, tokens: list[int], position: int) -> None:
    """A prompt in pieces of llama.cpp's own step size; logits of the last token only."""
    for start in range(0, len(tokens), UBATCH_TOKENS):
        part = tokens[start : start + UBATCH_TOKENS]
        outputs = [0] * len(part)
        outputs[-1] = int(start + len(part) == len(tokens))
        at = position + start
        context.decode(part, range(at, at + len(part)), [0] * len(part), outputs)
    context.synchronize()


def _generate(context: Context, tokens: list[int], position: int, *, sampled: bool) -> list[float]:
    """Seconds of each token."""
    sampler = context.new_sampler(Sampling(), 0)
    seconds: list[float] = []
    drawn: int | None = None
    try:
        for index, token in enumerate(tokens):
            began = time.perf_counter()
            context.decode([token if drawn is None else drawn], [position + index], [0], [1])
            context.synchronize()
            drawn = context.sample(sampler, 0) if sampled else None
            seconds.append(time.perf_counter() - began)
    finally:
        context.free_sampler(sampler)
    return seconds


def _difference(after: float | None, before: float | None) -> float | None:
    return None if after is None or before is None else after - before


def _mean(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else (first + second) / 2
