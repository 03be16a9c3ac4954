"""Lays what `plan` predicts beside what llama.cpp does: peak RAM, decode and prefill of synthetic models, as a table.

    python scripts/bench_plan.py [--sizes 0.5,1.5,3,7] [--quants q4_k_m,q8_0,q4_0] [--rounds 2]

Calibrations and measurements alternate, so that a machine that slows down slows both. Each model is measured in a process of its
own and its file is deleted afterwards. Beside ours stands the usual rule: decode = memory bandwidth / file size. Aims: peak RAM
within 10 %, decode and prefill within 20 %, median error at most 10 %; `plan` for the registry in 2 s, `models list` in 0.3 s.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cpu_codegen.gguf_header import read_header
from cpu_codegen.machine import default_threads
from cpu_codegen.plan.calibration import Calibration, TypeCost, measure
from cpu_codegen.plan.memory import ram
from cpu_codegen.plan.shape import Shape, shape_of_header
from cpu_codegen.plan.speed import decode_rate, prefill_rate
from cpu_codegen.plan.synthetic import Dense, write_dense

CONTEXT, PROMPT, STEPS = 4096, 512, 24
SHAPES = {  # the geometries of Qwen2.5-Coder
    "0.5": Dense(24, 896, 4864, 14, 2, 151936),
    "1.5": Dense(28, 1536, 8960, 12, 2, 151936),
    "3": Dense(36, 2048, 11008, 16, 2, 151936),
    "7": Dense(28, 3584, 18944, 28, 4, 152064, tied_head=False),
}


@dataclass(frozen=True, slots=True)
class Row:
    """One figure of one model: predicted, measured, and what size over bandwidth says (decode only)."""

    model: str
    figure: str
    predicted: float
    measured: float
    low: float
    high: float
    rule: float | None = None

    @property
    def error(self) -> float:
        """(predicted − measured) / measured."""
        return self.predicted / self.measured - 1


def main() -> int:
    """Prints the table and whether the aims are met; exit 0 either way, the figures speak."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sizes", default=",".join(SHAPES))
    parser.add_argument("--quants", default="q4_k_m,q8_0,q4_0")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--child", nargs=2, metavar=("GGUF", "THREADS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child[0], int(options.child[1]))
        return 0
    threads = default_threads()
    rows: list[Row] = []
    for size in options.sizes.split(","):
        for quant in options.quants.split(","):
            rows += _model(size, quant, threads=threads, rounds=options.rounds)
            _print(rows[-3:], head=len(rows) == 3)
    _summary(rows)
    _commands()
    _others()
    return 0


def _model(size: str, quant: str, *, threads: int, rounds: int) -> list[Row]:
    shape = SHAPES[size]
    with tempfile.TemporaryDirectory(prefix="cpu-codegen-bench-") as folder:
        path = Path(folder) / f"{size}b-{quant}.gguf"
        write_dense(path, shape, _types(quant, shape))
        known = shape_of_header(read_header(path))
        calibrations: list[Calibration] = []
        measured: list[dict[str, float]] = []
        for _ in range(rounds):
            found = measure(sorted(known.types), threads=threads)
            if found is not None and found.types:
                calibrations.append(found)
            measured.append(_measured(path, threads))
        return _rows(f"{size} B {quant}", known, _merged(calibrations), measured)


def _types(quant: str, shape: Dense) -> Callable[[str, int], str]:
    """llama.cpp's mix for a dense model: what quantizing a real one would give."""

    def k_m(name: str, layer: int) -> str:
        eighth = shape.layers // 8
        more = layer < eighth or layer >= 7 * shape.layers // 8 or (layer - eighth) % 3 == 2
        is_raised = name in ("token_embd.weight", "output.weight") or (
            more and ("attn_v" in name or "ffn_down" in name)
        )
        row = shape.feed_forward if "ffn_down" in name else shape.width
        if row % 256:
            return "q8_0" if is_raised else "q5_0"
        return "q6_k" if is_raised else "q4_k"

    def plain(name: str, _layer: int) -> str:
        is_head = name in ("token_embd.weight", "output.weight")
        return "q8_0" if quant == "q8_0" or (is_head and shape.width % 256) else "q6_k" if is_head else quant

    return k_m if quant == "q4_k_m" else plain


def _merged(calibrations: list[Calibration]) -> Calibration:
    """The fastest of each cost over the rounds: other programs only add."""
    if not calibrations:
        raise SystemExit("no calibration came: is llama.cpp installed?")
    types: dict[str, TypeCost] = {}
    for found in calibrations:
        for kind, cost in found.types.items():
            old = types.get(kind, cost)
            types[kind] = replace(cost, seconds={n: min(s, old.seconds[n]) for n, s in cost.seconds.items()})
    layer_s = min(c.layer_s for c in calibrations)
    return replace(calibrations[0], types=types, layer_s=layer_s, kv_byte_s=min(c.kv_byte_s for c in calibrations))


def _rows(name: str, shape: Shape, machine: Calibration, measured: list[dict[str, float]]) -> list[Row]:
    need = ram(shape, cells=CONTEXT, width=1, repacked_types=machine.repacked_types)
    decode, prefill = decode_rate(shape, machine, depth=PROMPT), prefill_rate(shape, machine, tokens=PROMPT)
    bandwidth = machine.bandwidth_bytes_s or 0.0
    best = {key: max(run[key] for run in measured) for key in ("decode", "prefill", "peak")}
    return [
        Row(name, "peak RAM, MB", need.peak_bytes / 1e6, best["peak"] / 1e6, 0, 0),
        Row(name, "decode, tok/s", decode.value, best["decode"], decode.interval.low, decode.interval.high,
            bandwidth / shape.weight_bytes),
        Row(name, "prefill, tok/s", prefill.value, best["prefill"], prefill.interval.low, prefill.interval.high),
    ]  # fmt: skip


def _measured(path: Path, threads: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", str(path), str(threads)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise SystemExit(f"measuring {path.name} ended with {answer.returncode}: {answer.stderr[-500:]}")
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def _child(path: str, threads: int) -> None:
    """One model as the engine opens it: prefill of 512 tokens, decode after them, the peak of this process."""
    import llama_cpp as library

    silent = library.llama_log_callback(lambda *_: None)  # llama.cpp keeps the pointer: the name keeps it alive
    library.llama_log_set(silent, None)
    library.llama_backend_init()
    params = library.llama_model_default_params()
    params.n_gpu_layers = 0
    model = library.llama_model_load_from_file(path.encode(), params)
    settings = library.llama_context_default_params()
    settings.n_ctx, settings.n_batch, settings.n_ubatch = CONTEXT, PROMPT, PROMPT
    settings.n_seq_max = settings.n_outputs_max = settings.n_outputs_max_per_seq = 1
    settings.n_threads = settings.n_threads_batch = threads
    settings.kv_unified = settings.swa_full = settings.no_perf = True
    context = library.llama_init_from_model(model, settings)
    batch = library.llama_batch_init(PROMPT, 0, 1)
    _decode(library, context, batch, tokens=PROMPT, position=0)  # the first pass reads the file
    library.llama_memory_clear(library.llama_get_memory(context), False)
    prefill_s = _decode(library, context, batch, tokens=PROMPT, position=0)
    steps = [_decode(library, context, batch, tokens=1, position=PROMPT + i) for i in range(STEPS)]
    decode_s = statistics.median(steps[2:])
    print(json.dumps({"prefill": PROMPT / prefill_s, "decode": 1 / decode_s, "peak": _peak_bytes()}))


def _decode(library: Any, context: Any, batch: Any, *, tokens: int, position: int) -> float:
    batch.n_tokens = tokens
    for i in range(tokens):
        batch.token[i], batch.pos[i], batch.logits[i] = (7 * i + 3) % 1000, position + i, i == tokens - 1
        batch.n_seq_id[i], batch.seq_id[i][0] = 1, 0
    began = time.perf_counter()
    if library.llama_decode(context, batch) != 0:
        raise SystemExit("llama_decode failed")
    library.llama_synchronize(context)
    return time.perf_counter() - began


def _peak_bytes() -> float:
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak if sys.platform == "darwin" else peak * 1024)


def _print(rows: list[Row], *, head: bool) -> None:
    if head:
        print("| model | figure | predicted | measured | error | in interval | size ÷ bandwidth |")
        print("|---|---|---:|---:|---:|---|---:|")
    for row in rows:
        inside = "" if not row.high else "yes" if row.low <= row.measured <= row.high else "no"
        rule = "" if row.rule is None else f"{row.rule:.1f} ({100 * (row.rule / row.measured - 1):+.0f} %)"
        print(
            f"| {row.model} | {row.figure} | {row.predicted:.1f} | {row.measured:.1f} | {100 * row.error:+.1f} % |"
            f" {inside} | {rule} |",
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


def _others() -> None:
    """What users would pick instead, where it is installed."""
    for tool in ("llmfit", "gguf-parser"):
        print(f"{tool}: {'at ' + str(shutil.which(tool)) if shutil.which(tool) else 'not installed here'}")


if __name__ == "__main__":
    sys.exit(main())
