#!/usr/bin/env python3
"""Is `plan`'s formula for a decode step right? Synthetic layers and whole models in turns, one thread, CPU time.

    python scripts/bench_plan_steps.py [--rows 0.5:Q8_0,1.5:Q4_K_M] [--rounds 6] [--depth 0]

bench_plan.py compares what a user sees: calibration and `bench`, wall time, all threads; other programs spoil it. This one asks
less and can be asked on a busy machine: within one process the calibration's small models (a type's layers, thin layers) and the
model of real geometry take turns step by step, so that what slows the memory slows all of them alike; the median steps of the small
ones go through plan's own formula and are laid beside the median step of the whole. Files are deleted.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.gguf_header import read_header  # noqa: E402
from cpu_codegen.plan import worker  # noqa: E402
from cpu_codegen.plan.calibration import Calibration, TypeCost  # noqa: E402
from cpu_codegen.plan.shape import shape_of_header  # noqa: E402
from cpu_codegen.plan.speed import step_seconds  # noqa: E402
from cpu_codegen.plan.synthetic import Dense, write_dense  # noqa: E402
from scripts.make_synthetic_gguf import PRESETS, write  # noqa: E402

ROWS = ",".join(f"{size}:{quant}" for size in ("0.5", "1.5", "3", "7") for quant in ("Q4_K_M", "Q8_0", "Q4_0"))
CONTEXT = 1024


def main() -> None:
    """One line a model, then the median and the worst error."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", default=ROWS)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--depth", type=int, default=0, help="tokens before the timed ones; a multiple of 128")
    args = parser.parse_args()
    time.perf_counter = time.process_time  # worker.py's steps are timed in CPU time here: others may take the wall's
    import llama_cpp

    silent = llama_cpp.llama_log_callback(lambda *_: None)  # llama.cpp keeps the pointer: the name keeps it alive
    llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
    llama_cpp.llama_backend_init()
    print(f"| model | step predicted, ms | measured, ms | error of the rate | depth |\n{'|---' * 5}|")
    errors = []
    for row in args.rows.split(","):
        size, _, quant = row.partition(":")
        with tempfile.TemporaryDirectory(prefix="cpu-codegen-bench-") as folder:
            predicted, measured = compare(llama_cpp, Path(folder), size, quant, rounds=args.rounds, depth=args.depth)
        errors.append(measured / predicted - 1)
        ms = f"{1000 * predicted:.1f} | {1000 * measured:.1f}"
        print(f"| {size} B {quant} | {ms} | {100 * errors[-1]:+.1f} % | {args.depth} |", flush=True)
    absolute = [abs(error) for error in errors]
    print(f"\nmedian error {100 * statistics.median(absolute):.1f} %, worst {100 * max(absolute):.1f} %")


def compare(library: Any, folder: Path, size: str, quant: str, *, rounds: int, depth: int) -> tuple[float, float]:
    """Seconds of one decode step: by the formula, and of the whole model."""
    like, path = f"qwen2.5-coder-{size}b", folder / "whole.gguf"
    write(path, PRESETS[like], like, quant)
    whole = shape_of_header(read_header(path))
    attention_s = worker.attention_seconds(library, folder / "deep.gguf", 1) if depth else {}
    small = {kind: worker.shape_for(kind) for kind in sorted(whole.types)}
    with ExitStack() as stack:
        steps = {"thin": _opened(stack, library, folder / "thin.gguf", worker.THIN, "q8_0")}
        steps |= {kind: _opened(stack, library, folder / f"{kind}.gguf", shape, kind) for kind, shape in small.items()}
        steps["whole"] = stack.enter_context(worker.opened(library, path, 1, context=CONTEXT))
        for _ in range(depth // 128):
            steps["whole"](128)
        times: dict[str, list[float]] = {name: [] for name in steps}
        for number in range(rounds + 1):  # the first round warms up
            for name, step in steps.items():
                seconds = [step(1) for _ in range(1 if name == "whole" else 2)]
                times[name] += seconds if number else []
    middle = {name: statistics.median(found) for name, found in times.items()}
    machine = _calibration(small, middle, attention_s)
    return step_seconds(whole, machine, tokens=1, outputs=1, depth=depth), middle["whole"]


def _opened(stack: ExitStack, library: Any, path: Path, shape: Dense, kind: str) -> Any:
    write_dense(path, shape, lambda _name, _layer: kind)
    return stack.enter_context(worker.opened(library, path, 1, context=CONTEXT))


def _calibration(small: dict[str, Dense], middle: dict[str, float], attention_s: dict[int, float]) -> Calibration:
    layer_s = middle["thin"] / worker.THIN.layers
    types = {}
    for kind, shape in small.items():
        values = shape.layers * worker.layer_values()
        types[kind] = TypeCost({1: (middle[kind] - shape.layers * layer_s) / values})
    return Calibration(1, types, layer_s, attention_s)


if __name__ == "__main__":
    main()
