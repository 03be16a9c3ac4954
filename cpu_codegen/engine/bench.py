"""The inference profile of one model on this machine, one stream, as a user feels it: llama-bench's quantities and more.

Every test is repeated; all repetitions of all tests run in one seeded random order, so that a slow minute hits all of them; a
warm-up comes first. Covered: prompt and generation rates at depths and thread counts, time to first token, latency between
tokens, load time, memory, CPU, faults, energy, drift, and what makes the figures doubtful. Not covered: batches (a run reports
its own throughput).
"""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cpu_codegen.counts import count_of
from cpu_codegen.machine import Machine

WARMUP_PROMPT, WARMUP_TOKENS = 32, 4
SCAN_PROMPT, SCAN_TOKENS, SCAN_REPEATS = 64, 12, 3
GOOD_ENOUGH = 0.97
"""Fewer threads within 3 % of the best are better: the machine stays usable."""

Measure = Callable[..., dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Timed:
    """What is timed: `prompt` tokens at once or `generated` tokens one by one, behind `depth` tokens."""

    prompt: int
    generated: int
    depth: int
    threads: int

    @property
    def name(self) -> str:
        """llama-bench's: pp512, tg64, `pp512 @ d1024`."""
        kind = f"pp{self.prompt}" if self.prompt else f"tg{self.generated}"
        return f"{kind} @ d{self.depth}" if self.depth else kind

    @property
    def tokens(self) -> int:
        """Tokens that are timed."""
        return self.prompt or self.generated


@dataclass(frozen=True, slots=True)
class Repetition:
    """One measurement of a test: its place in the order, and what the engine's process reported (timing.py)."""

    test: Timed
    place: int
    report: dict[str, Any]

    @property
    def seconds(self) -> float:
        """Of the timed tokens alone."""
        return float(self.report["prompt_s"] if self.test.prompt else sum(self.report["token_s"]))

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return self.test.tokens / self.seconds


@dataclass(frozen=True, slots=True)
class Row:
    """A test's figures over its repetitions. Rates in tokens/s (mean and sample standard deviation, as llama-bench gives).

    `ttft_s` for prompts: until the first token could be shown, median. `latency_*` for generation: seconds between tokens.
    `cpu` is CPU time over wall time and threads. `joules_per_token` None = not measured.
    """

    test: Timed
    repeats: int
    rate: float
    deviation: float
    rates: tuple[float, ...]
    ttft_s: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    cpu: float
    minor_faults: float | None
    major_faults: float | None
    joules_per_token: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """Everything that one bench found. `drift` = rate of the second half over the first, all tests normalised."""

    rows: tuple[Row, ...]
    threads: int
    scan: dict[int, float] = field(default_factory=dict)
    drift: float | None = None
    memory: dict[str, int | None] = field(default_factory=dict)
    clock_mhz: tuple[float, float] | None = None
    throttled: int | None = None
    warnings: tuple[str, ...] = ()


class Told(Protocol):
    """Where progress goes."""

    def begin(self, column: str, total: int, done: int = 0) -> None:
        """So many measurements follow."""

    def advance(self, note: str = "") -> None:
        """One is done."""

    def end(self, note: str = "") -> None:
        """All are done."""


def bench(
    measure: Measure,
    *,
    prompts: Sequence[int],
    generated: Sequence[int],
    depths: Sequence[int],
    threads: Sequence[int],
    scan: bool,
    repeats: int,
    seed: int,
    machine: Machine,
    progress: Told,
) -> Profile:
    """Warms up, scans threads when asked to, then runs all tests at the chosen (or all given) thread counts."""
    scanned = scan_threads(measure, threads, seed=seed, progress=progress) if scan else {}
    chosen = [best_threads(scanned)] if scan else list(threads)
    tests = [
        Timed(prompt, tokens, depth, count)
        for count in chosen
        for depth in depths
        for prompt, tokens in [*((p, 0) for p in prompts if p), *((0, g) for g in generated if g)]
    ]
    progress.begin("bench", len(tests) * repeats)
    done: list[Repetition] = []
    for repetition in repetitions(measure, tests, repeats=repeats, seed=seed):
        done.append(repetition)
        progress.advance(f"{repetition.test.name} {repetition.rate:.1f} tok/s")
    progress.end()
    rows = tuple(_row(test, [one for one in done if one.test == test]) for test in tests)
    drift = drift_of(done)
    return Profile(
        rows=rows,
        threads=max(rows, key=lambda row: (row.test.generated > 0, row.rate)).test.threads if rows else chosen[0],
        scan=scanned,
        drift=drift,
        memory=_memory(done),
        clock_mhz=_clock(done),
        throttled=_total(one.report["throttled"] for one in done),
        warnings=tuple(doubts(rows, done, drift=drift, machine=machine)),
    )


def repetitions(measure: Measure, tests: Sequence[Timed], *, repeats: int, seed: int) -> Iterator[Repetition]:
    """All repetitions in one random order, after a warm-up of every thread count."""
    for count in sorted({test.threads for test in tests}):
        _ask(measure, Timed(WARMUP_PROMPT, WARMUP_TOKENS, 0, count), seed=seed)
    order = [test for test in tests for _ in range(repeats)]
    random.Random(seed).shuffle(order)
    for place, test in enumerate(order):
        yield Repetition(test, place, _ask(measure, test, seed=seed + place))


def _ask(measure: Measure, test: Timed, *, seed: int) -> dict[str, Any]:
    return measure(
        prompt=test.prompt,
        generated=test.generated,
        depth=test.depth,
        threads=test.threads,
        seed=seed,
        sampled=False,
    )


# ── threads ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def candidates(machine: Machine) -> list[int]:
    """Thread counts worth trying within affinity and quota: powers of two, physical, performance and logical cores."""
    most = max(1, machine.logical_cores_usable or 1)
    if machine.cpu_quota is not None:
        most = max(1, min(most, int(machine.cpu_quota)))
    powers = {1 << bit for bit in range(most.bit_length())}
    kinds = {machine.physical_cores_usable or most, machine.performance_cores_usable or most, most}
    return sorted(count for count in powers | kinds if count <= most)


def scan_threads(measure: Measure, counts: Sequence[int], *, seed: int, progress: Told) -> dict[int, float]:
    """Generation rate by thread count: interleaved, the median of a few."""
    tests = [Timed(0, SCAN_TOKENS, 0, count) for count in counts]
    found: dict[int, list[float]] = {count: [] for count in counts}
    progress.begin("threads", len(tests) * SCAN_REPEATS)
    for repetition in repetitions(measure, tests, repeats=SCAN_REPEATS, seed=seed):
        found[repetition.test.threads].append(repetition.rate)
        progress.advance(f"{repetition.test.threads}: {repetition.rate:.1f} tok/s")
    progress.end()
    return {count: statistics.median(rates) for count, rates in found.items()}


def best_threads(scan: dict[int, float]) -> int:
    """The fewest threads within 3 % of the best."""
    best = max(scan.values())
    return min(count for count, rate in scan.items() if rate >= GOOD_ENOUGH * best)


# ── figures ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _row(test: Timed, done: list[Repetition]) -> Row:
    rates = tuple(one.rate for one in done)
    between = sorted(seconds for one in done for seconds in one.report["token_s"])
    joules = [one.report["energy_j"] for one in done if one.report["energy_j"] is not None]
    return Row(
        test=test,
        repeats=len(done),
        rate=statistics.fmean(rates),
        deviation=statistics.stdev(rates) if len(rates) > 1 else 0.0,
        rates=rates,
        ttft_s=statistics.median(one.seconds for one in done) if test.prompt else None,
        latency_p50_s=quantile(between, 0.50) if between else None,
        latency_p95_s=quantile(between, 0.95) if between else None,
        cpu=statistics.fmean(one.report["cpu_s"] / one.report["wall_s"] for one in done) / test.threads,
        minor_faults=_mean(one.report["minor_faults"] for one in done),
        major_faults=_mean(one.report["major_faults"] for one in done),
        joules_per_token=statistics.fmean(joules) / test.tokens if joules else None,
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours (the usual type 7)."""
    at = (len(ordered) - 1) * share
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (at - low)


def drift_of(done: Sequence[Repetition]) -> float | None:
    """Second half of the order over the first: rates relative to their test's mean, so that the order's mix does not count."""
    if len(done) < 4:
        return None
    means = {test: statistics.fmean(o.rate for o in done if o.test == test) for test in {o.test for o in done}}
    relative = [one.rate / means[one.test] for one in sorted(done, key=lambda one: one.place)]
    half = len(relative) // 2
    return statistics.fmean(relative[half:]) / statistics.fmean(relative[:half])


def doubts(rows: Sequence[Row], done: Sequence[Repetition], *, drift: float | None, machine: Machine) -> Iterator[str]:
    """What makes the figures unstable or unlike another day's, each with its reason."""
    for row in rows:
        spread = row.deviation / row.rate
        if spread > 0.05:
            where = f"{row.test.name} at {count_of(row.test.threads, 'thread')}"
            yield f"{where} varies by {spread:.0%}: other programs, or too few repeats"
    cpu = statistics.fmean(row.cpu for row in rows) if rows else 1.0
    if cpu < 0.9:
        yield f"only {cpu:.0%} of the threads' time was CPU time: other programs took the rest, or the disk was waited for"
    if drift is not None and abs(drift - 1) > 0.05:
        yield f"the second half ran at {drift:.0%} of the first: heat, a changing clock, or other programs"
    if any(one.report["major_faults"] for one in done):
        yield "pages were read from disk while it ran: the model does not stay in memory"
    if _total(one.report["throttled"] for one in done):
        yield "the CPU was throttled by heat"
    if machine.power == "battery":
        yield "on battery: clocks may be lower than on mains"
    if machine.governor == "powersave" and "intel" not in machine.cpu.lower():
        yield "the frequency governor is powersave"
    if machine.virtual:
        yield "a virtual machine: neighbours may take CPU time unseen"


def _memory(done: Sequence[Repetition]) -> dict[str, int | None]:
    """The largest of each figure over all repetitions."""
    names = done[0].report["memory"] if done else {}
    values = {name: [one.report["memory"][name] for one in done] for name in names}
    return {name: max((v for v in found if v is not None), default=None) for name, found in values.items()}


def _clock(done: Sequence[Repetition]) -> tuple[float, float] | None:
    values = [one.report["clock_mhz"] for one in done if one.report["clock_mhz"] is not None]
    return (min(values), max(values)) if values else None


def _total(values: Iterator[Any]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _mean(values: Iterator[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None
