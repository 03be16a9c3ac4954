#!/usr/bin/env python3
"""One contender of bench_engine.py, in a process of its own; prints its figures as one JSON line.

    scripts/engine_contenders.py NAME --model GGUF --threads 2 [--prompts 32] [--tokens 128] [--width 32]

`serial` is Llama.create_completion, its prefix cache on (a few of the prompts; the rest by their mean); `bare` is bare_loop.py,
which shares no code with the engine; `engine` is the whole engine as a run uses it; `inside` is our scheduler with the time in C
calls taken apart, on samples of one prompt; `speeds` is pp512 and tg64; `texts` compares the demo model's greedy answers with a
serial loop's. Not covered: who runs when, and what the figures mean (bench_engine.py).
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.machine import default_threads, fingerprint  # noqa: E402
from cpu_codegen.schema import Request, Sampling  # noqa: E402

SHARED_TOKENS, OWN_TOKENS = 256, 64
SERIAL_PROMPTS, INSIDE_TOKENS = 4, 16
LETTERS = "etaoinsrhldcum"


def text_prompts(chars: int, prompts: int) -> list[str]:
    """Texts of about 256 shared and 64 own tokens; `chars` is how many random letters make 256 tokens here."""
    draw = random.Random(1)
    shared = "".join(draw.choice(LETTERS) for _ in range(chars))
    own = chars * OWN_TOKENS // SHARED_TOKENS
    return [shared + " #" + "".join(draw.choice(LETTERS) for _ in range(own)) for _ in range(prompts)]


def letters(args: argparse.Namespace) -> dict[str, Any]:
    """How many of those letters make SHARED_TOKENS tokens in this model's vocabulary."""
    from cpu_codegen.engine import binding

    binding.start_backend()
    model = binding.Model(args.model)
    text = text_prompts(4096, 1)[0]
    tokens = len(model.tokenize(text, add_special=True))
    model.close()
    return {"chars": len(text) * SHARED_TOKENS // tokens}


def serial(args: argparse.Namespace) -> dict[str, Any]:
    """llama-cpp-python's loop with its own prefix reuse; prompts that are not run count as the mean of those after the first."""
    from llama_cpp import Llama

    llama = Llama(args.model, n_ctx=1024, n_threads=args.threads, n_threads_batch=args.threads, seed=0, verbose=False)
    times, tokens = [], 0
    for text in text_prompts(args.chars, args.prompts)[:SERIAL_PROMPTS]:
        began = time.perf_counter()
        tokens += llama.create_completion(text, max_tokens=args.tokens, temperature=0.0)["usage"]["completion_tokens"]
        times.append(time.perf_counter() - began)
    each = statistics.fmean(times[1:])
    return {"tokens": tokens / len(times) * args.prompts, "seconds": times[0] + each * (args.prompts - 1)}


def bare(args: argparse.Namespace) -> dict[str, Any]:
    """bare_loop.py on the same texts."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as texts:
        json.dump(text_prompts(args.chars, args.prompts), texts)
        texts.flush()
        command = [sys.executable, str(REPO / "scripts/bare_loop.py"), args.model, "--texts", texts.name]
        for option in ("width", "tokens", "threads"):
            command += [f"--{option}", str(getattr(args, option))]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def engine(args: argparse.Namespace) -> dict[str, Any]:
    """As a run uses it: another process, frames, generations."""
    from cpu_codegen.engine import meters
    from cpu_codegen.engine.llama import LlamaEngine

    texts = text_prompts(args.chars, args.prompts)
    asked = [Request(str(i), text, True, i, args.tokens, early_stop=False) for i, text in enumerate(texts)]
    with LlamaEngine(_settings(args)) as opened:
        began, tokens, anonymous, cost_s = time.perf_counter(), 0, 0, 0.0
        for generation in opened.run(asked):
            tokens, cost_s = tokens + generation.completion_tokens, cost_s + generation.cost_s
            anonymous = max(anonymous, meters.memory(opened.pid or "self").anonymous_bytes or 0)
        seconds = time.perf_counter() - began
        facts = {"cost_s": cost_s, "anonymous_bytes": anonymous, "totals": opened.totals}
        return {"tokens": tokens, "seconds": seconds, **facts}


def inside(args: argparse.Namespace) -> dict[str, Any]:
    """The scheduler in this process; every call into llama.cpp is timed, the rest is Python. Of full decode steps alone.

    One prompt, sampled once a sequence: its prefill is shared, and yet every sequence stands at its full depth.
    """
    import llama_cpp

    from cpu_codegen.engine.opened import Opened
    from cpu_codegen.engine.opening import open_settings
    from cpu_codegen.gguf_header import read_header

    in_c = _TimedCalls(llama_cpp, ("llama_decode", "llama_sampler_sample"))
    settings = open_settings(_settings(args), read_header(args.model), fingerprint())
    text = text_prompts(args.chars, 1)[0]
    asked = [Request(str(i), text, True, i, INSIDE_TOKENS, early_stop=False) for i in range(args.width)]
    scheduler, context, *_ = Opened({**settings, "calibrate": False}).prepare(
        [asdict(request) for request in asked], width=args.width
    )
    full_s, full_tokens, python_s = 0.0, 0, []
    while not scheduler.is_done:
        before_fed, before, in_before = scheduler.totals.prompt_tokens, time.perf_counter(), in_c.seconds
        answered = scheduler.totals.answer_tokens
        scheduler.step()
        spent, made = time.perf_counter() - before, scheduler.totals.answer_tokens - answered
        if made == args.width and scheduler.totals.prompt_tokens == before_fed:
            full_s, full_tokens = full_s + spent, full_tokens + made
            python_s.append(spent - (in_c.seconds - in_before))
    context.close()
    return {
        "decode_rate": full_tokens / full_s if full_s else None,
        "python_ms_per_step": 1000 * statistics.median(python_s) if python_s else None,
    }


class _TimedCalls:
    """Wraps functions of the binding; `seconds` were spent inside them."""

    def __init__(self, module: Any, names: tuple[str, ...]) -> None:
        self.seconds = 0.0
        for name in names:
            setattr(module, name, self._timed(getattr(module, name)))

    def _timed(self, call: Any) -> Any:
        def timed(*values: Any) -> Any:
            began = time.perf_counter()
            result = call(*values)
            self.seconds += time.perf_counter() - began
            return result

        return timed


def _settings(args: argparse.Namespace) -> Any:
    from cpu_codegen.engine.protocol import EngineSettings

    return EngineSettings(args.model, "", ctx_tokens=1024, threads=args.threads, parallel=args.width)


def speeds(args: argparse.Namespace) -> dict[str, Any]:
    """llama-bench's quantities by our own bench: pp512 (the compute limit) and tg64, the median of a few."""
    from cpu_codegen.engine.llama import LlamaEngine

    with LlamaEngine(replace(_settings(args), parallel=1)) as opened:
        common = {"depth": 0, "threads": args.threads, "sampled": False}
        opened.measure(prompt=32, generated=4, seed=0, **common)  # warm-up
        prompts = [opened.measure(prompt=512, generated=0, seed=i, **common)["prompt_s"] for i in range(args.repeats)]
        answers = [
            sum(opened.measure(prompt=0, generated=64, seed=i, **common)["token_s"]) for i in range(args.repeats)
        ]
    return {"pp512": 512 / statistics.median(prompts), "tg64": 64 / statistics.median(answers)}


def texts(args: argparse.Namespace) -> dict[str, str]:
    """How many greedy answers of the demo model, plain style, are those of a serial loop."""
    from cpu_codegen.columns.generate import request_for
    from cpu_codegen.config import RunConfig
    from cpu_codegen.engine.llama import LlamaEngine
    from cpu_codegen.engine.protocol import EngineSettings
    from cpu_codegen.inputs import prepare
    from cpu_codegen.packaged import demo_model

    config = RunConfig(model=str(demo_model()))
    asked = [replace(request_for(s, config), early_stop=False, max_tokens=256) for s in prepare(config).samples]
    one_by_one = _serial_texts(str(demo_model()), asked, args.threads)
    found = {}
    for width in (1, "auto"):
        settings = EngineSettings(str(demo_model()), "", ctx_tokens=2048, threads=args.threads, parallel=width)
        with LlamaEngine(settings) as opened:
            same = sum(g.text == one_by_one[g.key] for g in opened.run(asked))
            found[f"--parallel {width} (width {opened.info.width})"] = f"{same} of {len(asked)} equal the serial texts"
    return found


def _serial_texts(path: str, asked: list[Request], threads: int) -> dict[str, str]:
    from cpu_codegen.engine import binding
    from cpu_codegen.engine.context import Context

    binding.start_backend()
    model = binding.Model(path)
    context = Context(model, cells=2048, sequences=1, outputs=1, threads=threads)
    sampler = context.new_sampler(Sampling(), 0)
    found = {}
    for request in asked:
        context.clear()
        prompt = model.tokenize(request.text, add_special=request.add_special)
        for start in range(0, len(prompt), context.batch_tokens):
            part = prompt[start : start + context.batch_tokens]
            context.decode(part, range(start, start + len(part)), [0] * len(part), [0] * (len(part) - 1) + [1])
        token, written = context.sample(sampler, (len(prompt) - 1) % context.batch_tokens), b""
        for position in range(len(prompt), len(prompt) + request.max_tokens):
            if token in model.ends:
                break
            written += model.piece(token)
            context.decode([token], [position], [0], [1])
            token = context.sample(sampler, 0)
        found[request.key] = written.decode(errors="replace")
    context.close()
    model.close()
    return found


CONTENDERS = {
    "letters": letters,
    "speeds": speeds,
    "serial": serial,
    "bare": bare,
    "engine": engine,
    "inside": inside,
    "texts": texts,
}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", choices=CONTENDERS)
    parser.add_argument("--model")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--repeats", type=int, default=2, help="of pp512 and tg64")
    parser.add_argument("--chars", type=int, default=600, help="letters that make 256 tokens, as `letters` found")
    args = parser.parse_args()
    print(json.dumps(CONTENDERS[args.name](args)))


if __name__ == "__main__":
    main()
