"""Lays what `plan` predicts beside what `bench` measures: peak RAM, decode and prefill of synthetic models, as a table.

    python scripts/bench_plan.py [--sizes 0.5,1.5,3,7] [--quants Q4_K_M,Q8_0,Q4_0] [--rounds 2] [--threads 2]
    python scripts/bench_plan.py --only 1.5b:Q4_K_M          # one row; rows may be run one by one, on another day

Calibrations and measurements take turns, so that a machine that slows down slows both. Each model (make_synthetic_gguf.py: real
geometry and vocabulary, random weights) is measured by the engine itself, as `cpu-codegen bench` does, and its file is deleted
afterwards. Beside ours stand the usual rule, decode = memory bandwidth / file size, and what llmfit and gguf-parser say where they
are installed. Aims: peak RAM within 10 %, decode and prefill within 20 %, median error at most 10 %; a calibration at most 20 s;
`plan` for the registry in 2 s, `models list` in 0.3 s.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.busy import watch  # noqa: E402
from cpu_codegen.gguf_header import read_header  # noqa: E402
from cpu_codegen.machine import default_threads  # noqa: E402
from cpu_codegen.plan.calibration import Calibration, fastest, measure  # noqa: E402
from cpu_codegen.plan.memory import ram  # noqa: E402
from cpu_codegen.plan.shape import Shape, shape_of_header  # noqa: E402
from cpu_codegen.plan.speed import decode_rate, prefill_rate  # noqa: E402

PROMPT, DEPTH, TOKENS, PADDING = 512, 512, 24, 256
SIZES, QUANTS = ("0.5", "1.5", "3", "7"), ("Q4_K_M", "Q8_0", "Q4_0")
LIKE = "qwen2.5-coder-{}b"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one model: predicted, measured (the best round, and the rounds' spread), and what others say.

    `rule` is size over bandwidth (decode only), `llmfit` that program's figure for a CPU; None = it has none.
    """

    model: str
    figure: str
    predicted: float
    measured: float
    spread: float
    low: float
    high: float
    rule: float | None = None
    llmfit: float | None = None

    @property
    def error(self) -> float:
        """(predicted − measured) / measured."""
        return self.predicted / self.measured - 1


def main() -> int:
    """Prints the table and whether the aims are met; exit 0 either way, the figures speak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--quants", default=",".join(QUANTS))
    parser.add_argument("--only", help="one row, such as 1.5b:Q4_K_M")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--threads", type=int, default=default_threads())
    parser.add_argument("--child", metavar="GGUF", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child, options.threads)
        return 0
    busy = watch()
    if busy is not None and (warning := busy.warning(options.threads)):
        print(f"warning: {warning}", file=sys.stderr)
    rows: list[Row] = []
    for size, quant in _wanted(options):
        rows += _model(size, quant, threads=options.threads, rounds=options.rounds)
        _print(rows[-3:], head=len(rows) == 3)
    _summary(rows)
    if not options.only:
        _commands()
    return 0


def _wanted(options: argparse.Namespace) -> list[tuple[str, str]]:
    if not options.only:
        return [(size, quant) for size in options.sizes.split(",") for quant in options.quants.split(",")]
    size, _, quant = options.only.partition(":")
    wanted = (size.lower().removesuffix("b"), quant.upper())
    if wanted[0] not in SIZES or wanted[1] not in QUANTS:
        raise SystemExit(
            f"--only {options.only!r} is no row; one of {', '.join(SIZES)} with b:, and {', '.join(QUANTS)}"
        )
    return [wanted]


def _model(size: str, quant: str, *, threads: int, rounds: int) -> list[Row]:
    """Round by round a calibration and a measurement; the estimate is made of the calibrations alone."""
    from scripts.make_synthetic_gguf import PRESETS, write

    like = LIKE.format(size)
    with tempfile.TemporaryDirectory(prefix="cpu-codegen-bench-") as folder:
        path = Path(folder) / f"{like}-{quant.lower()}.gguf"
        write(path, PRESETS[like], like, quant)
        known = shape_of_header(read_header(path))
        calibrations: list[Calibration] = []
        measured: list[dict[str, float]] = []
        for number in range(2 * rounds):
            if number % 2:
                measured.append(_measured(path, threads))
            elif (found := measure(sorted(known.types), threads=threads)) is not None and found.types:
                calibrations.append(found)
        took = ", ".join(f"{found.took_s:.1f}" for found in calibrations)
        print(f"{like} {quant}: calibrations of {took} s", file=sys.stderr)
        _gguf_parser(path)
        rows = _rows(f"{size} B {quant}", known, _merged(calibrations), measured)
        its = _llmfit(size, quant)
        return [replace(row, llmfit=its.get(row.figure)) for row in rows]


def _merged(calibrations: list[Calibration]) -> Calibration:
    """The fastest of each cost over the rounds, as the calibration that is kept: other programs only add."""
    if not calibrations:
        raise SystemExit("no calibration came within its time: is llama.cpp installed, is the machine busy?")
    return functools.reduce(fastest, calibrations)


def _rows(name: str, shape: Shape, machine: Calibration, measured: list[dict[str, float]]) -> list[Row]:
    cells = (DEPTH + PROMPT + PADDING - 1) // PADDING * PADDING
    need = ram(shape, cells=cells, width=1, repacked_types=machine.repacked_types)
    decode, prefill = (
        decode_rate(shape, machine, depth=DEPTH + TOKENS // 2),
        prefill_rate(shape, machine, tokens=PROMPT),
    )
    bandwidth = machine.bandwidth_bytes_s or 0.0

    def row(figure: str, predicted: float, key: str, low: float, high: float, rule: float | None = None) -> Row:
        values, unit = [run[key] for run in measured], 1e6 if key == "peak" else 1.0
        best = max(values)
        return Row(name, figure, predicted / unit, best / unit, (best - min(values)) / best, low, high, rule)

    return [
        row("peak RAM, MB", need.peak_bytes, "peak", 0, 0),
        row("decode, tok/s", decode.value, "decode", decode.interval.low, decode.interval.high,
            bandwidth / shape.weight_bytes),
        row("prefill, tok/s", prefill.value, "prefill", prefill.interval.low, prefill.interval.high),
    ]  # fmt: skip


def _measured(path: Path, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", str(path), "--threads", str(threads)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"measuring {path.name} ended with {answer.returncode}: {answer.stderr[-500:]}")
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _child(path: str, threads: int) -> None:
    """What `bench` does: prefill of 512 tokens, decode behind them, the peak of the engine's process."""
    from cpu_codegen.engine.llama import LlamaEngine
    from cpu_codegen.engine.protocol import EngineSettings

    settings = EngineSettings(path, "", ctx_tokens=DEPTH + PROMPT, threads=threads, parallel=1, check_memory=False)
    with LlamaEngine(settings) as engine:
        common = {"threads": threads, "sampled": False}
        engine.measure(prompt=32, generated=4, depth=0, seed=0, **common)  # the first pass reads the file
        found = engine.measure(prompt=PROMPT, generated=TOKENS, depth=0, seed=1, **common)
    figures = {
        "prefill": PROMPT / found["prompt_s"],
        "decode": 1 / statistics.median(found["token_s"]),
        "peak": found["memory"]["peak_rss_bytes"] or 0,
    }
    print(json.dumps(figures))


def _print(rows: list[Row], *, head: bool) -> None:
    if head:
        print(
            "| model | figure | predicted | measured | its spread | error | in interval | size ÷ bandwidth | llmfit |"
        )
        print("|---|---|---:|---:|---:|---:|---|---:|---:|")
    for row in rows:
        inside = "" if not row.high else "yes" if row.low <= row.measured <= row.high else "no"
        rule, llmfit = (
            "" if other is None else f"{other:.1f} ({100 * (other / row.measured - 1):+.0f} %)"
            for other in (row.rule, row.llmfit)
        )
        print(
            f"| {row.model} | {row.figure} | {row.predicted:.1f} | {row.measured:.1f} | {100 * row.spread:.0f} % |"
            f" {100 * row.error:+.1f} % | {inside} | {rule} | {llmfit} |",
            flush=True,
        )


def _summary(rows: list[Row]) -> None:
    print()
    for figure, aim in (("peak RAM, MB", 0.10), ("decode, tok/s", 0.20), ("prefill, tok/s", 0.20)):
        errors = [abs(row.error) for row in rows if row.figure == figure]
        within = sum(error <= aim for error in errors)
        print(
            f"{figure}: {within} of {len(errors)} within {100 * aim:.0f} %, median error {100 * statistics.median(errors):.1f} %,"
            f" worst {100 * max(errors):.1f} %"
        )
    rule = [abs(row.rule / row.measured - 1) for row in rows if row.rule is not None]
    print(
        f"decode by size ÷ bandwidth: median error {100 * statistics.median(rule):.1f} %, worst {100 * max(rule):.1f} %"
    )


def _commands() -> None:
    """How long the commands themselves take, the best of three."""
    for words, aim in ((["plan", "--offline"], 2.0), (["models", "list"], 0.3)):
        times = list(_timed(words))
        print(f"cpu-codegen {' '.join(words)}: {min(times):.2f} s (aim {aim} s)")


def _timed(words: list[str]) -> Iterator[float]:
    subprocess.run([sys.executable, "-m", "cpu_codegen", *words], capture_output=True, check=True)
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "cpu_codegen", *words], capture_output=True, check=True)
        yield time.perf_counter() - began


def _llmfit(size: str, quant: str) -> dict[str, float]:
    """What llmfit says of the model on this CPU, where it is installed; CPU_CODEGEN_LLMFIT names one elsewhere."""
    program = os.environ.get("CPU_CODEGEN_LLMFIT") or shutil.which("llmfit")
    if program is None:
        print("llmfit: not installed here (pip install llmfit, in an environment of its own)", file=sys.stderr)
        return {}
    model = f"Qwen/Qwen2.5-Coder-{size}B-Instruct"
    command = [program, "--json", "plan", model, "--quant", quant, "--context", str(DEPTH + PROMPT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"llmfit says nothing of {model} {quant}: {done.stderr.strip()[-200:]}", file=sys.stderr)
        return {}
    paths = {path["path"]: path for path in json.loads(done.stdout)["run_paths"]}
    alone = paths["cpu_only"]
    return {"decode, tok/s": alone["estimated_tps"], "peak RAM, MB": 1000 * alone["minimum"]["ram_gb"]}


def _gguf_parser(path: Path) -> None:
    """gguf-parser is a binary that no package index here carries: shown as it prints, where it is installed."""
    program = shutil.which("gguf-parser")
    if program is None:
        print("gguf-parser: not installed here", file=sys.stderr)
        return
    done = subprocess.run([program, "--path", str(path)], capture_output=True, text=True, check=False)
    print(f"gguf-parser:\n{(done.stdout or done.stderr).strip()}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
