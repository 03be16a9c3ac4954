#!/usr/bin/env python3
"""The engine beside llama-cpp-python's own loop and beside a bare llama_decode loop, on a synthetic 1.5 B model, in one run.

    scripts/bench_engine.py [--like qwen2.5-coder-1.5b] [--prompts 32] [--tokens 128] [--rounds 1] [--width 32] [--llama-bench PATH]

Contenders, each in a process of its own, in random order within every round: `serial` is Llama.create_completion, one prompt after
the other, its prefix cache on; `bare` is llama_decode and llama.cpp's sampler at the same width, nothing else, the shared prefix
decoded once; `inside` is our scheduler with the time in C calls taken apart; `engine` is the whole engine as a run uses it. Then:
pp512, memory over the bare loop's, and how many greedy texts of the demo model equal the serial ones at width 1 and at auto.
The machine should be idle. The synthetic file is deleted.
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
from dataclasses import replace
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.machine import default_threads, fingerprint  # noqa: E402
from cpu_codegen.schema import Request, Sampling  # noqa: E402

SHARED_TOKENS, OWN_TOKENS = 256, 64


def requests(args: argparse.Namespace) -> list[Request]:
    """The prompts as a run would ask them."""
    return [Request(str(i), text, True, i, args.tokens, early_stop=False) for i, text in enumerate(text_prompts(args))]


def text_prompts(args: argparse.Namespace) -> list[str]:
    """Texts of about 256 shared and 64 own tokens; `args.chars` is how many random letters make 256 tokens here."""
    draw = random.Random(1)
    letters = "etaoinsrhldcum"
    shared = "".join(draw.choice(letters) for _ in range(args.chars))
    own = args.chars * OWN_TOKENS // SHARED_TOKENS
    return [shared + " #" + "".join(draw.choice(letters) for _ in range(own)) for _ in range(args.prompts)]


def letters(args: argparse.Namespace) -> dict[str, Any]:
    """How many of those letters make SHARED_TOKENS tokens in this model's vocabulary."""
    from cpu_codegen.engine import binding

    binding.start_backend()
    model = binding.Model(args.model)
    text = text_prompts(argparse.Namespace(chars=4096, prompts=1))[0]
    tokens = len(model.tokenize(text, add_special=True))
    model.close()
    return {"chars": len(text) * SHARED_TOKENS // tokens}


# ── contenders ───────────────────────────────────────────────────────────────────────────────────────────────────────


def serial(args: argparse.Namespace) -> dict[str, Any]:
    """llama-cpp-python's high-level loop with its own prefix reuse."""
    from llama_cpp import Llama

    llama = Llama(args.model, n_ctx=1024, n_threads=args.threads, n_threads_batch=args.threads, seed=0, verbose=False)
    began, tokens = time.perf_counter(), 0
    for text in text_prompts(args):
        made = llama.create_completion(text, max_tokens=args.tokens, temperature=0.0)
        tokens += made["usage"]["completion_tokens"]
    return {"tokens": tokens, "seconds": time.perf_counter() - began}


def bare(args: argparse.Namespace) -> dict[str, Any]:
    """Only what no loop can do without; rounds of `width` sequences, since nothing is admitted in between."""
    from cpu_codegen.engine import binding, meters

    model, context = _opened(args, binding)
    prompts = [model.tokenize(text, add_special=True) for text in text_prompts(args)]
    common = next(i for i in range(len(prompts[0])) if len({prompt[i] for prompt in prompts}) > 1)
    sampler = context.new_sampler(Sampling(), 0)
    began, decode_s, tokens = time.perf_counter(), 0.0, 0
    _prefill(context, prompts[0][:common], 0, args.width)
    for start in range(0, len(prompts), args.width):
        group = prompts[start : start + args.width]
        last = [_first(context, prompt, common, sequence, args.width, sampler) for sequence, prompt in enumerate(group)]
        wide, positions = len(group), [len(prompt) for prompt in group]
        decoding = time.perf_counter()
        for step in range(args.tokens - 1):
            context.decode(last, [position + step for position in positions], range(wide), [1] * wide)
            last = [context.sample(sampler, index) for index in range(wide)]
        decode_s += time.perf_counter() - decoding
        tokens += wide * args.tokens
        for sequence in range(wide):
            context.forget(sequence)
    seconds = time.perf_counter() - began
    anonymous = meters.memory().anonymous_bytes
    rate = (tokens - len(prompts)) / decode_s
    return {"tokens": tokens, "seconds": seconds, "decode_rate": rate, "anonymous_bytes": anonymous}


def _opened(args: argparse.Namespace, binding: Any) -> tuple[Any, Any]:
    binding.start_backend()
    model = binding.Model(args.model)
    each = (SHARED_TOKENS + 2 * OWN_TOKENS + args.tokens + 255) // 256 * 256
    return model, binding.Context(
        model,
        cells=(args.width + 1) * each,
        sequences=args.width + 1,
        outputs=args.width,
        threads=args.threads,
        streams=args.width > 1,
    )


def _prefill(context: Any, tokens: list[int], position: int, sequence: int) -> None:
    for start in range(0, len(tokens), context.batch_tokens):
        part = tokens[start : start + context.batch_tokens]
        outputs = [0] * (len(part) - 1) + [1]
        at = position + start
        context.decode(part, range(at, at + len(part)), [sequence] * len(part), outputs)


def _first(context: Any, prompt: list[int], common: int, sequence: int, holder: int, sampler: Any) -> int:
    context.copy(holder, sequence)
    _prefill(context, prompt[common:], common, sequence)
    return int(context.sample(sampler, len(prompt) - common - 1))


def inside(args: argparse.Namespace) -> dict[str, Any]:
    """The scheduler in this process; every call into llama.cpp is timed, the rest is Python."""
    import llama_cpp

    from cpu_codegen.engine.opened import Opened

    in_c = _TimedCalls(llama_cpp, ("llama_decode", "llama_sampler_sample"))
    opened = Opened(_open_settings(args))
    scheduler, context, _ = opened.prepare([_fields(request) for request in requests(args)], width=args.width)
    full_s, full_tokens, python_s = 0.0, 0, []
    began = time.perf_counter()
    while not scheduler.is_done:
        before_fed, before, in_before = scheduler.totals.prompt_tokens, time.perf_counter(), in_c.seconds
        answered = scheduler.totals.answer_tokens
        scheduler.step()
        spent, made = time.perf_counter() - before, scheduler.totals.answer_tokens - answered
        if made == args.width and scheduler.totals.prompt_tokens == before_fed:
            full_s, full_tokens = full_s + spent, full_tokens + made
            python_s.append(spent - (in_c.seconds - in_before))
    seconds, totals = time.perf_counter() - began, scheduler.totals
    context.close()
    return {
        "tokens": totals.answer_tokens,
        "seconds": seconds,
        "decode_rate": full_tokens / full_s if full_s else None,
        "python_ms_per_step": 1000 * statistics.median(python_s) if python_s else None,
        "c_share": in_c.seconds / seconds,
        "prefix_tokens": totals.prefix_tokens,
        "prompt_tokens": totals.prompt_tokens,
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


def _open_settings(args: argparse.Namespace) -> dict[str, Any]:
    from cpu_codegen.engine.llama import _open_settings as settings_of
    from cpu_codegen.gguf_header import read_header

    return {**settings_of(_settings(args), read_header(args.model), fingerprint()), "calibrate": False}


def _settings(args: argparse.Namespace) -> Any:
    from cpu_codegen.engine.protocol import EngineSettings

    return EngineSettings(args.model, "", ctx_tokens=1024, threads=args.threads, parallel=args.width)


def _fields(request: Request) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(request)


def engine(args: argparse.Namespace) -> dict[str, Any]:
    """As a run uses it: another process, frames, generations."""
    from cpu_codegen.engine import meters
    from cpu_codegen.engine.llama import LlamaEngine

    with LlamaEngine(_settings(args)) as opened:
        began, tokens, anonymous, cost_s = time.perf_counter(), 0, 0, 0.0
        for generation in opened.run(requests(args)):
            tokens, cost_s = tokens + generation.completion_tokens, cost_s + generation.cost_s
            anonymous = max(anonymous, meters.memory(opened.pid or "self").anonymous_bytes or 0)
        seconds = time.perf_counter() - began
        return {
            "tokens": tokens,
            "seconds": seconds,
            "cost_s": cost_s,
            "anonymous_bytes": anonymous,
            "totals": opened.totals,
        }


def pp512(args: argparse.Namespace) -> dict[str, Any]:
    """The compute limit: a prompt of 512 tokens, the median of five."""
    from cpu_codegen.engine.llama import LlamaEngine

    with LlamaEngine(replace(_settings(args), parallel=1)) as opened:
        common = {"depth": 0, "threads": args.threads, "sampled": False}
        reports = [opened.measure(prompt=512, generated=0, seed=i, **common) for i in range(6)][1:]
        tg = [opened.measure(prompt=0, generated=64, seed=i, **common) for i in range(3)]
    prompt_s = statistics.median(report["prompt_s"] for report in reports)
    return {"pp512": 512 / prompt_s, "tg64": 64 / statistics.median(sum(report["token_s"]) for report in tg)}


CONTENDERS = {"serial": serial, "bare": bare, "inside": inside, "engine": engine}
HELPERS = {"letters": letters, "pp512": pp512}


def contend(name: str, args: argparse.Namespace) -> dict[str, Any]:
    """Runs one contender in a fresh process."""
    command = [sys.executable, __file__, "--contender", name, "--model", args.model]
    for option in ("prompts", "tokens", "width", "threads", "chars"):
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

    binding.start_backend()
    model = binding.Model(path)
    context = binding.Context(model, cells=2048, sequences=1, outputs=1, threads=threads)
    sampler = context.new_sampler(Sampling(), 0)
    texts = {}
    for request in asked:
        context.clear()
        prompt = model.tokenize(request.text, add_special=request.add_special)
        _prefill(context, prompt, 0, 0)
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
    rate = {name: [r[name]["tokens"] / r[name]["seconds"] for r in rounds] for name in CONTENDERS}
    middle = {name: statistics.median(rates) for name, rates in rate.items()}
    for name, rates in rate.items():
        print(f"{name:8} {middle[name]:7.2f} tok/s   rounds: {', '.join(f'{r:.2f}' for r in rates)}")
    over_serial = statistics.median(e / s for e, s in zip(rate["engine"], rate["serial"], strict=True))
    of_bare = statistics.median(e / b for e, b in zip(rate["engine"], rate["bare"], strict=True))
    bare_over = statistics.median(b / s for b, s in zip(rate["bare"], rate["serial"], strict=True))
    print(f"engine / serial       {over_serial:.2f}   (aim 1.7; the bare loop: {bare_over:.2f})")
    print(f"engine / bare         {of_bare:.3f}  (binding: 0.95)")
    python_ms = [r["inside"]["python_ms_per_step"] for r in rounds if r["inside"]["python_ms_per_step"] is not None]
    if python_ms:
        print(f"Python per full step  {statistics.median(python_ms):.3f} ms at width {args.width}  (aim 0.3)")
    decode = [r["inside"]["decode_rate"] for r in rounds if r["inside"]["decode_rate"] is not None]
    bare_share = statistics.median(r["bare"]["decode_rate"] for r in rounds) / limit["pp512"]
    if decode:
        share = statistics.median(decode) / limit["pp512"]
        print(f"decode / pp512        {share:.2f}   (aim 0.70; the bare loop: {bare_share:.2f})")
    fed = rounds[0]["engine"]["totals"]
    print(f"prefill               {fed['prefix_tokens']} shared tokens once + {fed['prompt_tokens']} own tokens")
    over = max(r["engine"]["anonymous_bytes"] - r["bare"]["anonymous_bytes"] for r in rounds)
    print(f"memory over bare      {over / 1e6:.0f} MB anonymous  (aim 60)")
    print(f"pp512 {limit['pp512']:.2f} tok/s, tg64 {limit['tg64']:.2f} tok/s")


def beside_llama_bench(path: str, limit: dict[str, Any], args: argparse.Namespace) -> None:
    """pp512 and tg64 beside llama-bench's own."""
    command = [path, "-m", args.model, "-p", "512", "-n", "64", "-t", str(args.threads), "-r", "5", "-o", "json"]
    for test in json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout):
        name = f"pp{test['n_prompt']}" if test["n_prompt"] else f"tg{test['n_gen']}"
        print(f"llama-bench {name}     {test['avg_ts']:.2f} tok/s; ours / its = {limit[name] / test['avg_ts']:.3f}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--like", default="qwen2.5-coder-1.5b")
    parser.add_argument("--model", help="measure this GGUF instead of a synthetic one")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--llama-bench", help="path of a llama-bench to compare with")
    parser.add_argument("--no-texts", action="store_true", help="leave out the demo model's texts")
    parser.add_argument("--chars", type=int, default=600, help=argparse.SUPPRESS)
    parser.add_argument("--contender", choices=[*CONTENDERS, *HELPERS], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.contender:
        print(json.dumps({**CONTENDERS, **HELPERS}[args.contender](args)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.model is None:
            from scripts.make_synthetic_gguf import PRESETS, write

            args.model = str(Path(folder) / "synthetic.gguf")
            write(Path(args.model), PRESETS[args.like], args.like, "Q4_K_M")
        args.chars = contend("letters", args)["chars"]
        draw = random.Random(0)
        rounds = []
        for _ in range(args.rounds):
            order = draw.sample(list(CONTENDERS), len(CONTENDERS))
            rounds.append({name: contend(name, args) for name in order})
        limit = contend("pp512", args)
        report(rounds, limit, args)
        if args.llama_bench:
            beside_llama_bench(args.llama_bench, limit, args)
        else:
            print("llama-bench           not compared: no --llama-bench PATH")
    if not args.no_texts:
        for name, text in equal_texts(args.threads).items():
            print(f"{name:30} {text}")


if __name__ == "__main__":
    main()
