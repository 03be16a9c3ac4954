#!/usr/bin/env python3
"""Verdicts beside EvalPlus's: agreement, canonical solutions, speed and memory.

    scripts/bench_verdicts.py agreement [--samples DIR]            every recorded verdict of EvalPlus HEAD, each difference listed
    scripts/bench_verdicts.py speed [--suite humaneval+ | mbpp+] [--evalplus DIR] [--workers 2]

`speed` scores the canonical solutions with an empty cache ("first"), then with expected outputs at hand ("cached"), and with
--evalplus the same with EvalPlus from the registry, in turns, in one run. DIR is a virtual environment with evalplus 0.3.1, made if
it is not there. Its minimum of a call is set to HEAD's 4 s; its memory limit is lifted for MBPP+, whose task 255 does not fit in.
Memory is that of all our own processes together, at its peak; of a candidate's process only what an idle one has. The data sets
come from CPU_CODEGEN_DATASETS or the publishers. The machine should be idle.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from cpu_codegen.suites import datasets  # noqa: E402
from cpu_codegen.suites.evalplus import canonical_solutions  # noqa: E402
from scripts.parity import Difference, differences  # noqa: E402

SHARED = Path(os.environ.get("CPU_CODEGEN_SHARED") or REPO.parent / "shared")
EVALPLUS = "evalplus==0.3.1"
SAMPLE_EVERY_S = 0.05
OVERRIDES = {"humaneval+": "HUMANEVAL_OVERRIDE_PATH", "mbpp+": "MBPP_OVERRIDE_PATH"}
DATA_SETS = {"humaneval+": datasets.HUMANEVAL_PLUS, "mbpp+": datasets.MBPP_PLUS}
FIRST, CACHED = "first", "cached"


@dataclass(frozen=True, slots=True)
class Timed:
    """One run: wall seconds, peak bytes of the harness, and what it printed."""

    wall_s: float
    peak_bytes: int
    output: str


# ── agreement ────────────────────────────────────────────────────────────────────────────────────────────────────────


def agreement(args: argparse.Namespace) -> int:
    """All samples; the number of unexplained differences."""
    total, found = 0, list[Difference]()
    for path in sorted(args.samples.glob("*.jsonl")):
        suite = {"humaneval": "humaneval+", "mbpp": "mbpp+"}.get(path.stem.partition("_")[0])
        if suite is None:
            continue
        samples = read(path.read_text(encoding="utf-8"))
        done = ours(path, suite, args.workers, os.environ.get("XDG_CACHE_HOME"))
        these = differences(samples, read(done.output))
        print(f"{path.stem:<20} {len(samples) - len(these)} of {len(samples)} agree   {done.wall_s:.0f} s", flush=True)
        for difference in these:
            print(f"  {difference}", flush=True)
        total, found = total + len(samples), found + these
    unexplained = sum(not difference.reason for difference in found)
    print(f"{total - len(found)} of {total} agree, {len(found) - unexplained} excused by a rule, {unexplained} not")
    return unexplained


def read(text: str) -> list[dict[str, Any]]:
    """JSON lines."""
    return [json.loads(line) for line in text.split("\n") if line]


# ── speed ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def speed(args: argparse.Namespace) -> int:
    """Canonical solutions, ours and EvalPlus's in turns; the number of canonical solutions that failed with us."""
    failed = 0
    for suite in args.suite:
        with tempfile.TemporaryDirectory(prefix="cpu-codegen-bench-") as folder:
            failed += _speed(suite, Path(folder), args)
    return failed


def _speed(suite: str, folder: Path, args: argparse.Namespace) -> int:
    samples = folder / "samples.jsonl"
    solutions = canonical_solutions(suite)  # type: ignore[arg-type]
    samples.write_text("".join(json.dumps({"task_id": i, "solution": s}) + "\n" for i, s in solutions.items()))
    print(f"{suite}: {len(solutions)} canonical solutions, {args.workers} workers", flush=True)
    walls: dict[tuple[str, str], float] = {}
    failed = 0
    for state in (FIRST, CACHED):
        done = ours(samples, suite, args.workers, str(folder / "cache"))
        verdicts = read(done.output)
        right = sum(v["base_status"] == v["plus_status"] == "pass" for v in verdicts)
        failed += len(solutions) - right
        print(
            f"  cpu-codegen {state:<7} {done.wall_s:7.1f} s   {done.peak_bytes / 1e6:6.0f} MB   {right} of {len(verdicts)} pass"
        )
        walls["ours", state] = done.wall_s
        if args.evalplus:
            other = theirs(samples, suite, args.workers, folder, args.evalplus)
            scores = " ".join(other.output.split()[-6:])
            print(f"  EvalPlus    {state:<7} {other.wall_s:7.1f} s   {other.peak_bytes / 1e6:6.0f} MB   {scores}")
            print(f"  ratio       {state:<7} {other.wall_s / done.wall_s:7.2f} ×", flush=True)
    return failed


def ours(samples: Path, suite: str, workers: int, cache: str | None) -> Timed:
    """`cpu-codegen score`; no kept verdict is used, kept expected outputs are."""
    command = [sys.executable, "-m", "cpu_codegen", "score", str(samples), "-s", suite, "-o", "jsonl", "--fresh"]
    environment = {**os.environ, "PYTHONPATH": str(REPO), **({"XDG_CACHE_HOME": cache} if cache else {})}
    environment.setdefault(datasets.MIRROR, str(SHARED / "datasets"))
    return timed([*command, "--workers", str(workers)], environment, own_bytes)


def theirs(samples: Path, suite: str, workers: int, folder: Path, environment_dir: Path) -> Timed:
    """EvalPlus's own command, its cache in our folder."""
    python = environment_dir / "bin" / "python"
    if not python.exists():
        venv.create(environment_dir, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", EVALPLUS], check=True)
    data = folder / DATA_SETS[suite].file
    data.write_bytes(datasets.data(DATA_SETS[suite]))
    for old in folder.glob("*eval_results.json"):
        old.unlink()
    environment = {**os.environ, OVERRIDES[suite]: str(data), "XDG_CACHE_HOME": str(folder / "evalplus-cache")}
    if suite == "mbpp+":
        environment["EVALPLUS_MAX_MEMORY_BYTES"] = "-1"
    command = [str(python), "-m", "evalplus.evaluate", "--dataset", suite.rstrip("+"), "--samples", str(samples)]
    return timed([*command, "--parallel", str(workers), "--min_time_limit", "4.0"], environment, all_bytes)


def timed(command: Sequence[str], environment: dict[str, str], measure: Any) -> Timed:
    """Runs a command and watches its memory from outside."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    with watched(process.pid, measure) as peak:
        output, _ = process.communicate()
        wall_s = time.perf_counter() - started
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:6])} … ended with code {process.returncode}")
    return Timed(wall_s, max(peak), output)


# ── memory ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def watched(pid: int, measure: Any) -> Iterator[list[int]]:
    """A list that grows by one reading every 50 ms."""
    readings, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(SAMPLE_EVERY_S):
            readings.append(measure(pid))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield readings
    finally:
        ended.set()
        thread.join()


def own_bytes(pid: int) -> int:
    """The command, its fork servers and checkers; a server's later children are candidates and count as an idle one."""
    total = rss_bytes(pid)
    for server in children(pid):
        base = rss_bytes(server)
        total += base
        for place, child in enumerate(children(server)):
            total += rss_bytes(child) if place == 0 else min(base, rss_bytes(child))
    return total


def all_bytes(pid: int) -> int:
    """A process and all its descendants."""
    return rss_bytes(pid) + sum(all_bytes(child) for child in children(pid))


def children(pid: int) -> list[int]:
    """In the order in which they were started."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def rss_bytes(pid: int) -> int:
    """Resident memory; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def main() -> int:
    """Exit code 1 when something disagrees or fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("agreement", "speed"))
    parser.add_argument("--samples", type=Path, default=SHARED / "samples")
    parser.add_argument("--suite", action="append", choices=tuple(DATA_SETS))
    parser.add_argument("--evalplus", type=Path, metavar="DIR")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    args.suite = args.suite or list(DATA_SETS)
    os.environ.setdefault(datasets.MIRROR, str(SHARED / "datasets"))
    return int((agreement if args.what == "agreement" else speed)(args) > 0)


if __name__ == "__main__":
    sys.exit(main())
