#!/usr/bin/env python3
"""The engine beside llama-cpp-python's own loop and beside a bare llama_decode loop, on a synthetic 1.5 B model, in one run.

    scripts/bench_engine.py [--like qwen2.5-coder-1.5b] [--rounds 1] [--prompts 32] [--tokens 128] [--width 32]
    scripts/bench_engine.py --llama-bench PATH        # pp512 and tg64 beside llama-bench's own, interleaved, within 5 %?

Contenders, each in a process of its own, in random order within every round: `serial` is Llama.create_completion, its prefix cache
on (some of the prompts; the rest by their mean); `bare` is bare_loop.py, which shares no code with the engine; `engine` is the
whole engine as a run uses it; `inside` is our scheduler with the time in C calls taken apart, on a few tokens. Then: pp512, memory
over the bare loop's, and how many greedy texts of the demo model equal the serial ones at width 1 and at auto. One round takes
about seven minutes on two AVX2 cores, which should be idle. The synthetic file is deleted.
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
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.machine import default_threads, fingerprint  # noqa: E402
from cpu_codegen.schema import Request, Sampling  # noqa: E402

SHARED_TOKENS, OWN_TOKENS = 256, 64
SERIAL_PROMPTS, INSIDE_TOKENS = 8, 24
LETTERS = "etaoinsrhldcum"
CONTENDERS = ("serial", "bare", "engine", "inside")


def text_prompts(chars: int, prompts: int) -> list[str]:
    """Texts of about 256 shared and 64 own tokens; `chars` is how many random letters make 256 tokens here."""
    draw = random.Random(1)
    shared = "".join(draw.choice(LETTERS) for _ in range(chars))
    own = chars * OWN_TOKENS // SHARED_TOKENS
    return [shared + " #" + "".join(draw.choice(LETTERS) for _ in range(own)) for _ in range(prompts)]


def requests(args: argparse.Namespace, tokens: int) -> list[Request]:
    """The prompts as a run would ask them."""
    texts = text_prompts(args.chars, args.prompts)
    return [Request(str(i), text, True, i, tokens, early_stop=False) for i, text in enumerate(texts)]


def letters(args: argparse.Namespace) -> dict[str, Any]:
    """How many of those letters make SHARED_TOKENS tokens in this model's vocabulary."""
    from cpu_codegen.engine import binding

    binding.start_backend()
    model = binding.Model(args.model)
    text = text_prompts(4096, 1)[0]
    tokens = len(model.tokenize(text, add_special=True))
    model.close()
    return {"chars": len(text) * SHARED_TOKENS // tokens}


# ── contenders ───────────────────────────────────────────────────────────────────────────────────────────────────────


def serial(args: argparse.Namespace) -> dict[str, Any]:
    """llama-cpp-python's loop with its own prefix reuse; prompts that are not run count as the mean of those after the first."""
    from llama_cpp import Llama

    llama = Llama(args.model, n_ctx=1024, n_threads=args.threads, n_threads_batch=args.threads, seed=0, verbose=False)
    times, tokens = [], 0
    for text in text_prompts(args.chars, args.prompts)[: max(SERIAL_PROMPTS, 2)]:
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
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def engine(args: argparse.Namespace) -> dict[str, Any]:
    """As a run uses it: another process, frames, generations."""
    from cpu_codegen.engine import meters
    from cpu_codegen.engine.llama import LlamaEngine

    with LlamaEngine(_settings(args)) as opened:
        began, tokens, anonymous, cost_s = time.perf_counter(), 0, 0, 0.0
        for generation in opened.run(requests(args, args.tokens)):
            tokens, cost_s = tokens + generation.completion_tokens, cost_s + generation.cost_s
            anonymous = max(anonymous, meters.memory(opened.pid or "self").anonymous_bytes or 0)
        seconds = time.perf_counter() - began
        facts = {"cost_s": cost_s, "anonymous_bytes": anonymous, "totals": opened.totals}
        return {"tokens": tokens, "seconds": seconds, **facts}


def inside(args: argparse.Namespace) -> dict[str, Any]:
    """The scheduler in this process; every call into llama.cpp is timed, the rest is Python. Of full decode steps alone."""
    import llama_cpp

    from cpu_codegen.engine.opened import Opened
    from cpu_codegen.engine.opening import open_settings
    from cpu_codegen.gguf_header import read_header

    in_c = _TimedCalls(llama_cpp, ("llama_decode", "llama_sampler_sample"))
    settings = open_settings(_settings(args), read_header(args.model), fingerprint())
    scheduler, context, *_ = Opened({**settings, "calibrate": False}).prepare(
        [asdict(request) for request in requests(args, INSIDE_TOKENS)], width=args.width
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


HELPERS = {"letters": letters, "speeds": speeds, "serial": serial, "bare": bare, "engine": engine, "inside": inside}


def contend(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Runs one contender in a fresh process."""
    command = [sys.executable, __file__, "--contender", name, "--model", args.model]
    for option in ("prompts", "tokens", "width", "threads", "chars", "repeats"):
        command += [f"--{option}", str(getattr(args, option))]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def equal_texts(threads: int) -> dict[str, str]:
    """How many greedy answers of the demo model, plain style, are those of a serial loop."""
    from cpu_codegen.columns.generate import request_for
    from cpu_codegen.config import RunConfig
    from cpu_codegen.engine.llama import LlamaEngine
    from cpu_codegen.engine.protocol import EngineSettings
    from cpu_codegen.inputs import prepare
    from cpu_codegen.packaged import demo_model

    config = RunConfig(model=str(demo_model()))
    asked = [replace(request_for(s, config), early_stop=False, max_tokens=256) for s in prepare(config).samples]
    one_by_one = _serial_texts(str(demo_model()), asked, threads)
    found = {}
    for width in (1, "auto"):
        settings = EngineSettings(str(demo_model()), "", ctx_tokens=2048, threads=threads, parallel=width)
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
    texts = {}
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
        texts[request.key] = written.decode(errors="replace")
    context.close()
    model.close()
    return texts


# ── report ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def report(rounds: list[dict[str, dict[str, Any]]], limit: dict[str, Any], args: argparse.Namespace) -> None:
    """The figures that the engine has to reach, each beside its aim."""
    rate = {name: [r[name]["tokens"] / r[name]["seconds"] for r in rounds] for name in ("serial", "bare", "engine")}
    for name, rates in rate.items():
        print(f"{name:8} {statistics.median(rates):7.2f} tok/s   rounds: {', '.join(f'{r:.2f}' for r in rates)}")
    over_serial = statistics.median(e / s for e, s in zip(rate["engine"], rate["serial"], strict=True))
    of_bare = statistics.median(e / b for e, b in zip(rate["engine"], rate["bare"], strict=True))
    bare_over = statistics.median(b / s for b, s in zip(rate["bare"], rate["serial"], strict=True))
    print(f"engine / serial       {over_serial:.2f}   (aim 1.7; the bare loop: {bare_over:.2f})")
    print(f"engine / bare         {of_bare:.3f}  (binding: 0.95)")
    python_ms = [r["inside"]["python_ms_per_step"] for r in rounds if r["inside"]["python_ms_per_step"] is not None]
    if python_ms:
        print(f"Python per full step  {statistics.median(python_ms):.3f} ms at width {args.width}  (aim 0.3)")
    for name in ("inside", "bare"):
        rates = [r[name]["decode_rate"] for r in rounds if r[name]["decode_rate"] is not None]
        if rates:
            print(f"decode / pp512        {statistics.median(rates) / limit['pp512']:.2f}   {name}  (aim 0.70)")
    fed = rounds[0]["engine"]["totals"]
    once = f"{fed['prefix_tokens']} shared tokens once + {fed['prompt_tokens']} own tokens"
    print(f"prefill               {once}; the bare loop {rounds[0]['bare']['prompt_tokens']}")
    over = max(r["engine"]["anonymous_bytes"] - (r["bare"]["anonymous_bytes"] or 0) for r in rounds)
    print(f"memory over bare      {over / 1e6:.0f} MB anonymous  (aim 60)")
    print(f"pp512 {limit['pp512']:.2f} tok/s, tg64 {limit['tg64']:.2f} tok/s")


def beside_llama_bench(path: str, args: argparse.Namespace) -> None:
    """Our pp512 and tg64 and llama-bench's, in turns; the median of the rounds' ratios against the ±5 % of the issue."""
    ours: dict[str, list[float]] = {"pp512": [], "tg64": []}
    its: dict[str, list[float]] = {"pp512": [], "tg64": []}
    for number in range(max(args.rounds, 2)):
        for side in (ours, its) if number % 2 == 0 else (its, ours):
            found = contend("speeds", args) if side is ours else dict(_llama_bench(path, args))
            for name, value in found.items():
                side[name].append(value)
    for name in ours:
        ratio = statistics.median(a / b for a, b in zip(ours[name], its[name], strict=True))
        verdict = "within 5 %" if abs(ratio - 1) <= 0.05 else "NOT within 5 %"
        spread = (max(its[name]) - min(its[name])) / statistics.median(its[name])
        print(
            f"{name:6} ours {statistics.median(ours[name]):.2f}, llama-bench {statistics.median(its[name]):.2f} tok/s; "
            f"ratio {ratio:.3f}: {verdict} (its own spread over {len(its[name])} rounds: {spread:.0%})"
        )


def _llama_bench(path: str, args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    command = [path, "-m", args.model, "-p", "512", "-n", "64", "-t", str(args.threads), "-ngl", "0"]
    done = subprocess.run([*command, "-r", str(args.repeats), "-o", "json"], capture_output=True, check=True, text=True)
    for test in json.loads(done.stdout):
        yield (f"pp{test['n_prompt']}" if test["n_prompt"] else f"tg{test['n_gen']}"), test["avg_ts"]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--like", default="qwen2.5-coder-1.5b")
    parser.add_argument("--model", help="measure this GGUF instead of a synthetic one")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=3, help="of pp512 and tg64")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument(
        "--llama-bench", metavar="PATH", help="compare pp512 and tg64 with this llama-bench, nothing else"
    )
    parser.add_argument("--no-texts", action="store_true", help="leave out the demo model's texts")
    parser.add_argument("--chars", type=int, default=600, help=argparse.SUPPRESS)
    parser.add_argument("--contender", choices=HELPERS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        print(json.dumps(HELPERS[args.contender](args)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.model is None:
            from scripts.make_synthetic_gguf import PRESETS, write

            args.model = str(Path(folder) / "synthetic.gguf")
            write(Path(args.model), PRESETS[args.like], args.like, "Q4_K_M")
        if args.llama_bench:
            beside_llama_bench(args.llama_bench, args)
            return
        _compare(args)
    if not args.no_texts:
        for name, text in equal_texts(args.threads).items():
            print(f"{name:30} {text}")


def _compare(args: argparse.Namespace) -> None:
    args.chars = contend("letters", args)["chars"]
    draw, rounds, began = random.Random(0), [], time.monotonic()
    for _ in range(args.rounds):
        order = draw.sample(CONTENDERS, len(CONTENDERS))
        rounds.append({name: contend(name, args) for name in order})
    report(rounds, contend("speeds", args), args)
    print(f"took {time.monotonic() - began:.0f} s for {args.rounds} round{'s' if args.rounds > 1 else ''}")


if __name__ == "__main__":
    main()
