#!/usr/bin/env python3
"""The engine beside llama-cpp-python's own loop and beside a bare llama_decode loop, on a synthetic 1.5 B model, in one run.

    scripts/bench_engine.py [--minutes 8] [--rounds 1] [--prompts 32] [--width 32] [--like qwen2.5-coder-1.5b]
    scripts/bench_engine.py --tokens 128              # the issue's setting, however long it takes
    scripts/bench_engine.py --llama-bench PATH        # pp512 and tg64 beside llama-bench's own, interleaved, within 5 %?

Prints every figure as soon as it is known. First pp512, which tells how fast this machine is: 128 tokens are generated for every
prompt, or as many (16 at least) as a round of --minutes allows; with fewer, the rate over the serial loop is printed for 128 as
well, by the decode rates found. Then the contenders (engine_contenders.py), each in a process of its own, in random order within
every round; at last the demo model's greedy texts against a serial loop's. The cores should be idle. The synthetic file is deleted.
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
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.busy import watch  # noqa: E402
from cpu_codegen.machine import default_threads  # noqa: E402
from scripts.engine_contenders import INSIDE_TOKENS, OWN_TOKENS, SERIAL_PROMPTS, SHARED_TOKENS  # noqa: E402

CONTENDERS = ("serial", "bare", "engine", "inside")
ISSUE_TOKENS, LEAST_TOKENS = 128, 16
BATCH_OF_PREFILL = 0.65
"""A batch's decode rate as a share of pp512, for the estimate of how long a round takes."""

Found = dict[str, Any]


def contend(name: str, args: argparse.Namespace) -> Found:
    """Runs one contender in a fresh process; what it says on stderr (llama.cpp's log) is shown only when it fails."""
    command = [sys.executable, str(REPO / "scripts/engine_contenders.py"), name, "--model", args.model]
    for option in ("prompts", "tokens", "width", "threads", "chars", "repeats"):
        command += [f"--{option}", str(getattr(args, option))]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode:
        raise SystemExit(f"error: {name} failed\n" + "\n".join(done.stderr.splitlines()[-15:]))
    result: Found = json.loads(done.stdout.splitlines()[-1])
    return result


def say(text: str) -> None:
    """At once, also into a pipe."""
    print(text, flush=True)


# ── how many tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def round_s(limit: Found, args: argparse.Namespace, tokens: int) -> float:
    """About how long a round takes."""
    prompt_s, alone_s = 1 / float(limit["pp512"]), 1 / float(limit["tg64"])
    decode_s, prompts, width = prompt_s / BATCH_OF_PREFILL, int(args.prompts), int(args.width)
    batched = (SHARED_TOKENS + prompts * OWN_TOKENS) * prompt_s + prompts * tokens * decode_s
    alone = SHARED_TOKENS * prompt_s + SERIAL_PROMPTS * (OWN_TOKENS * prompt_s + tokens * alone_s)
    inside = (SHARED_TOKENS + OWN_TOKENS + width) * prompt_s + width * INSIDE_TOKENS * decode_s
    return 2 * batched + alone + inside


def affordable_tokens(limit: Found, args: argparse.Namespace, spent_s: float) -> int:
    """As many as a round of --minutes allows, in steps of 16: between LEAST_TOKENS and the issue's."""
    left_s = 60 * float(args.minutes) - spent_s
    fitting = [n for n in range(LEAST_TOKENS, ISSUE_TOKENS + 1, 16) if round_s(limit, args, n) <= left_s]
    return max(fitting, default=LEAST_TOKENS)


# ── figures, each when it is known ───────────────────────────────────────────────────────────────────────────────────


def rate(found: Found) -> float:
    """Tokens per second over all, prefill included."""
    return float(found["tokens"] / found["seconds"])


def tell(name: str, rounds: list[dict[str, Found]], limit: Found, args: argparse.Namespace) -> None:
    """What the contender `name`, which has just run, adds to what is known."""
    now = rounds[-1]
    if name == "inside":
        _tell_inside(now["inside"], limit, args)
    else:
        say(
            f"{name:8} {rate(now[name]):7.2f} tok/s, {args.prompts} prompts of ≈ 320 tokens, {args.tokens} generated each"
        )
    if name == "bare":
        say(f"  decode / pp512        {now['bare']['decode_rate'] / limit['pp512']:.2f}   the bare loop")
    if name == "engine":
        fed = now["engine"]["totals"]
        say(f"  prefill               {fed['prefix_tokens']} shared tokens once + {fed['prompt_tokens']} own tokens")
    if name in ("serial", "engine"):
        _ratio(rounds, "engine", "serial", "aim 1.7")
    if name in ("serial", "bare"):
        _ratio(rounds, "bare", "serial", "what llama.cpp itself gives")
    if name in ("bare", "engine"):
        _ratio(rounds, "engine", "bare", "binding: 0.95")
        _tell_memory(now)
    if name in ("serial", "engine", "inside") and args.tokens < ISSUE_TOKENS:
        _tell_projected(now, limit, args)


def _tell_inside(found: Found, limit: Found, args: argparse.Namespace) -> None:
    if found["python_ms_per_step"] is None:
        say("inside   no step in which every sequence decoded: is the width larger than the samples?")
        return
    say(f"inside   {found['python_ms_per_step']:.3f} ms of Python per full step of {args.width} sequences  (aim 0.3)")
    say(f"  decode / pp512        {found['decode_rate'] / limit['pp512']:.2f}   the engine  (aim 0.70)")


def _ratio(rounds: list[dict[str, Found]], over: str, under: str, aim: str) -> None:
    """The median of the rounds in which both have run."""
    ratios = [rate(r[over]) / rate(r[under]) for r in rounds if over in r and under in r]
    if over in rounds[-1] and under in rounds[-1]:
        of = f" of {len(ratios)} rounds: {', '.join(f'{ratio:.2f}' for ratio in ratios)}" if len(ratios) > 1 else ""
        say(f"  {f'{over} / {under}':21} {statistics.median(ratios):.3f}  ({aim}){of}")


def _tell_memory(now: dict[str, Found]) -> None:
    if "bare" in now and "engine" in now:
        over = now["engine"]["anonymous_bytes"] - (now["bare"]["anonymous_bytes"] or 0)
        say(f"  memory over bare      {over / 1e6:.0f} MB anonymous  (aim 60)")


def _tell_projected(now: dict[str, Found], limit: Found, args: argparse.Namespace) -> None:
    """Every further token costs what a token cost at the full width, and a serial one what tg64 says."""
    if not {"serial", "engine", "inside"} <= set(now) or not now["inside"]["decode_rate"]:
        return
    more = args.prompts * (ISSUE_TOKENS - args.tokens)
    engine_s = now["engine"]["seconds"] + more / now["inside"]["decode_rate"]
    serial_s = now["serial"]["seconds"] + more / limit["tg64"]
    say(
        f"  engine / serial       {serial_s / engine_s:.2f}   estimated for {ISSUE_TOKENS} tokens each, from the rates above"
    )


MIN_ROUNDS_BESIDE = 5
"""Short rounds in turns: a minute that another program slows down is one ratio of several, not half of the answer."""


def beside_llama_bench(path: str, args: argparse.Namespace) -> None:
    """Our pp512 and tg64 and llama-bench's, in turns; the median of the rounds' ratios against the ±5 % of the issue."""
    ours: dict[str, list[float]] = {"pp512": [], "tg64": []}
    its: dict[str, list[float]] = {"pp512": [], "tg64": []}
    for number in range(max(args.rounds, MIN_ROUNDS_BESIDE)):
        for side in (ours, its) if number % 2 == 0 else (its, ours):
            found = contend("speeds", args) if side is ours else dict(_llama_bench(path, args))
            say(
                f"{'ours' if side is ours else 'llama-bench':12} " + ", ".join(f"{n} {v:.2f}" for n, v in found.items())
            )
            for name, value in found.items():
                side[name].append(value)
    for name in ours:
        ratios = sorted(a / b for a, b in zip(ours[name], its[name], strict=True))
        ratio = statistics.median(ratios)
        verdict = "within 5 %" if abs(ratio - 1) <= 0.05 else "NOT within 5 %"
        spread = (max(its[name]) - min(its[name])) / statistics.median(its[name])
        say(
            f"{name:6} ours {statistics.median(ours[name]):.2f}, llama-bench {statistics.median(its[name]):.2f} tok/s; "
            f"ratio {ratio:.3f} [{ratios[0]:.3f}, {ratios[-1]:.3f}], median and range of {len(ratios)} rounds: {verdict} "
            f"(llama-bench against itself: {spread:.0%})"
        )


def _llama_bench(path: str, args: argparse.Namespace) -> Iterator[tuple[str, float]]:
    command = [path, "-m", args.model, "-p", "512", "-n", "64", "-t", str(args.threads), "-ngl", "0"]
    done = subprocess.run([*command, "-r", str(args.repeats), "-o", "json"], capture_output=True, check=True, text=True)
    for test in json.loads(done.stdout):
        yield (f"pp{test['n_prompt']}" if test["n_prompt"] else f"tg{test['n_gen']}"), test["avg_ts"]


# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def compare(args: argparse.Namespace) -> None:
    """All rounds."""
    began, asked = time.monotonic(), args.tokens
    args.tokens, args.chars = asked or ISSUE_TOKENS, 600
    limit = contend("speeds", args)
    say(f"speeds   pp512 {limit['pp512']:.2f} tok/s, tg64 {limit['tg64']:.2f} tok/s, {args.threads} threads")
    args.chars = contend("letters", args)["chars"]
    if asked is None:
        args.tokens = affordable_tokens(limit, args, time.monotonic() - began)
    if args.tokens != ISSUE_TOKENS:
        whole = round_s(limit, args, ISSUE_TOKENS) / 60
        say(
            f"note     {args.tokens} tokens generated each: {ISSUE_TOKENS} (--tokens {ISSUE_TOKENS}) take ≈ {whole:.0f} min here"
        )
    draw = random.Random(0)
    rounds: list[dict[str, Found]] = []
    for _ in range(args.rounds):
        rounds.append({})
        for name in draw.sample(CONTENDERS, len(CONTENDERS)):
            rounds[-1][name] = contend(name, args)
            tell(name, rounds, limit, args)
    if not args.no_texts:
        for name, text in contend("texts", args).items():
            say(f"texts    {name:30} {text}")
    say(f"took {time.monotonic() - began:.0f} s for {args.rounds} round{'s' if args.rounds > 1 else ''}")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--like", default="qwen2.5-coder-1.5b")
    parser.add_argument("--model", help="measure this GGUF instead of a synthetic one")
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, help=f"generated for each prompt  [default: up to {ISSUE_TOKENS}]")
    parser.add_argument("--minutes", type=float, default=8.0, help="that the first round may take, about")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=2, help="of pp512 and tg64")
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument(
        "--llama-bench", metavar="PATH", help="compare pp512 and tg64 with this llama-bench, nothing else"
    )
    parser.add_argument("--no-texts", action="store_true", help="leave out the demo model's texts")
    args = parser.parse_args()
    busy = watch()
    if busy is not None and (warning := busy.warning(args.threads)):
        say(f"warning  {warning}")
    with tempfile.TemporaryDirectory() as folder:
        if args.model is None:
            from scripts.make_synthetic_gguf import PRESETS, write

            args.model = str(Path(folder) / "synthetic.gguf")
            write(Path(args.model), PRESETS[args.like], args.like, "Q4_K_M")
        if args.llama_bench:
            args.tokens, args.chars = args.tokens or ISSUE_TOKENS, 600
            beside_llama_bench(args.llama_bench, args)
        else:
            compare(args)


if __name__ == "__main__":
    main()
