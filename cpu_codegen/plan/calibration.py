"""How fast this machine multiplies by each tensor type: measured with llama.cpp on small synthetic models, kept per machine.

Three kinds of model are timed in a child process (worker.py): for each type some layers of a usual width, more than the caches
hold, whose cost is that of their weights; one of many thin layers, whose cost is that of a layer as such; and one whose context
grows, whose cost is that of attention. The child has a deadline; types that it did not reach
borrow from the nearest type by bits, and the plan says so.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from cpu_codegen.busy import Company, waiting, watch
from cpu_codegen.gguf_types import TYPES_BY_NAME
from cpu_codegen.machine import Machine, default_threads
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.places import cache_dir
from cpu_codegen.progress import Progress
from cpu_codegen.store import digest

SCHEMA = 2
BUDGET_S = 20.0
CROWDED_CORES = 0.5
"""Cores' worth of other programs' work from which a calibration is too slow to be the machine's."""

REPEAT_AFTER_S = 600.0
FIRST_TYPES = ("q4_k", "q6_k", "q8_0", "q4_0", "q5_k", "q5_0", "q2_k", "q3_k", "mxfp4", "f16")
"""In the order in which they are measured when all are wanted: the commonest first."""


@dataclass(frozen=True, slots=True)
class TypeCost:
    """Seconds per weight for a batch of n tokens, by n; the spread of its repeats as a share; whether llama.cpp repacks it."""

    seconds: dict[int, float]
    spread: float = 0.0
    repacked: bool = False

    def at(self, tokens: int) -> float:
        """Between measured batches by straight lines; beyond the largest in proportion."""
        known = sorted(self.seconds)
        if tokens in self.seconds:
            return self.seconds[tokens]
        if tokens > known[-1]:
            return self.seconds[known[-1]] * tokens / known[-1]
        above = next(n for n in known if n > tokens)
        below = max((n for n in known if n < tokens), default=above)
        if below == above:
            return self.seconds[above]
        part = (tokens - below) / (above - below)
        return self.seconds[below] * (1 - part) + self.seconds[above] * part


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, on how many threads, when and in what time.

    `attention_s`: seconds for one token, one position behind it and one value of its queries, in steps of 1 and of 128 tokens.
    `busy_cores` were used by other programs meanwhile. `tried_unix`: when types that did not come within the time were tried last.
    """

    threads: int
    types: dict[str, TypeCost] = field(default_factory=dict)
    layer_s: float = 0.0
    attention_s: dict[int, float] = field(default_factory=dict)
    busy_cores: float = 0.0
    taken_unix: float = 0.0
    took_s: float = 0.0
    source: str = "measured"
    tried_unix: dict[str, float] = field(default_factory=dict)

    @property
    def is_crowded(self) -> bool:
        """Whether other programs took so much of the cores that its costs are too high."""
        return self.busy_cores >= CROWDED_CORES

    def cost(self, kind: str) -> tuple[TypeCost, bool]:
        """The type's own cost and True, else that of the nearest type by bits and False."""
        if kind in self.types:
            return self.types[kind], True
        bits = TYPES_BY_NAME[kind].bits_per_value if kind in TYPES_BY_NAME else 4.5
        near = min(self.types, key=lambda name: abs(TYPES_BY_NAME[name].bits_per_value - bits))
        share = bits / TYPES_BY_NAME[near].bits_per_value
        borrowed = self.types[near]
        return replace(borrowed, seconds={n: s * share for n, s in borrowed.seconds.items()}), False

    def attention_at(self, tokens: int) -> float:
        """Of the step that is nearest in kind: token by token, or a prompt at once."""
        known = [n for n in self.attention_s if n <= max(tokens, 1)]
        return self.attention_s[max(known)] if known else 0.0

    @property
    def repacked_types(self) -> frozenset[str]:
        """Types whose weights llama.cpp lays out anew when it loads them."""
        return frozenset(name for name, cost in self.types.items() if cost.repacked)

    @property
    def bandwidth_bytes_s(self) -> float | None:
        """The fastest that weights were read at one token a step."""
        rates = [TYPES_BY_NAME[n].bits_per_value / 8 / c.seconds[1] for n, c in self.types.items() if c.seconds.get(1)]
        return max(rates, default=None)


def calibration(
    machine: Machine, wanted: Iterable[str], *, threads: int | None = None, progress: Progress, again: bool = False
) -> Calibration | None:
    """From the cache when it holds all wanted types, else measured now. None where llama.cpp cannot be used.

    One that was taken in company is measured again as soon as the machine is quiet; of several the fastest of each cost counts.
    """
    threads = threads or default_threads(machine)
    path = cache_file(machine, threads)
    known = load(path)
    missing = _ordered(wanted if known is None or again else _to_measure(known, wanted, threads))
    if not missing:
        return known
    measured = _measure_now(missing, threads, progress)
    if measured is None:
        return known
    measured = replace(measured, tried_unix={kind: time.time() for kind in missing if kind not in measured.types})
    if known is not None and again and measured.types and not measured.is_crowded:
        measured = replace(measured, types={**known.types, **measured.types})
    elif known is not None:
        measured = fastest(known, measured)
    save(path, measured)
    return measured


def _to_measure(known: Calibration, wanted: Iterable[str], threads: int) -> set[str]:
    """What is lacking and was not tried in vain just now; all again when it was taken in company and the cores are ours now."""
    recent = time.time() - REPEAT_AFTER_S
    lacking = {kind for kind in wanted if kind not in known.types and known.tried_unix.get(kind, 0.0) < recent}
    return lacking | known.types.keys() if _may_do_better(known, threads) else lacking


def _may_do_better(known: Calibration, threads: int) -> bool:
    """It was taken in company, a while ago, and now the cores are ours."""
    if not known.is_crowded or time.time() - known.taken_unix < REPEAT_AFTER_S:
        return False
    busy = watch()
    return busy is not None and not busy.crowds(threads)


def _measure_now(kinds: list[str], threads: int, progress: Progress) -> Calibration | None:
    busy = watch()
    if busy is not None and (warning := busy.warning(threads)):
        progress.say(f"warning: {warning}")
    progress.say(f"calibrating {', '.join(kinds)} with llama.cpp (at most {BUDGET_S:.0f} s, kept)")
    return measure(kinds, threads=threads, asleep=busy is not None and busy.crowds(threads))


def fastest(one: Calibration, other: Calibration) -> Calibration:
    """The lower of each cost, the rest as in `other`: other programs only ever add. What came out as 0 was not measured."""
    types = {**one.types, **other.types}
    for kind in one.types.keys() & other.types.keys():
        types[kind] = _faster_type(one.types[kind], other.types[kind])
    layers = [found.layer_s for found in (one, other) if found.layer_s > 0]
    return replace(
        other,
        types=types,
        layer_s=min(layers, default=0.0),
        attention_s=_lower(one.attention_s, other.attention_s),
        busy_cores=min(found.busy_cores for found in (one, other) if found.types or found is other),
        tried_unix={kind: at for kind, at in {**one.tried_unix, **other.tried_unix}.items() if kind not in types},
    )


def _faster_type(one: TypeCost, other: TypeCost) -> TypeCost:
    return replace(other, seconds=_lower(one.seconds, other.seconds), spread=min(one.spread, other.spread))


def _lower(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
    found = {n: [seconds for seconds in (one.get(n, 0.0), other.get(n, 0.0)) if seconds > 0] for n in {*one, *other}}
    return {n: min(seconds, default=0.0) for n, seconds in sorted(found.items())}


def cached(machine: Machine, *, threads: int | None = None) -> Calibration | None:
    """What was measured before; nothing is measured now."""
    return load(cache_file(machine, threads or default_threads(machine)))


def _ordered(kinds: Iterable[str]) -> list[str]:
    rank = {name: number for number, name in enumerate(FIRST_TYPES)}
    return sorted({kind for kind in kinds if kind in TYPES_BY_NAME}, key=lambda kind: (rank.get(kind, 99), kind))


def cache_file(machine: Machine, threads: int) -> Path:
    """Where a calibration lies: by machine, its state, llama.cpp's build and the threads."""
    try:
        build = version("llama-cpp-python")
    except PackageNotFoundError:
        build = "none"
    return cache_dir() / "calibrations" / f"{digest(SCHEMA, build, machine.id, machine.state, threads)[:24]}.json"


def load(path: Path) -> Calibration | None:
    """A stored calibration; None when there is none or it cannot be read."""
    try:
        stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        types = {name: _cost(record) for name, record in stored.pop("types").items()}
        attention_s = {int(n): float(s) for n, s in stored.pop("attention_s").items()}
        return Calibration(**stored, types=types, attention_s=attention_s)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def save(path: Path, found: Calibration) -> None:
    """Stores one; a cache that cannot be written costs the next calibration, nothing else."""
    try:
        write_atomically(path, json.dumps(asdict(found), indent=1))
    except OSError:
        return


def _cost(record: dict[str, Any]) -> TypeCost:
    return TypeCost({int(n): float(s) for n, s in record["seconds"].items()}, record["spread"], record["repacked"])


def measure(kinds: list[str], *, threads: int, budget_s: float = BUDGET_S, asleep: bool = False) -> Calibration | None:
    """Runs the worker until it ends or the budget does; what it told until then counts."""
    taken_unix, began, company = time.time(), time.monotonic(), Company()
    try:
        told = list(_told([str(threads), str(budget_s), *kinds], budget_s, asleep=asleep))
    except OSError:
        return None
    found = {name: value for record in told if "type" not in record for name, value in record.items()}
    took, busy_cores = time.monotonic() - began, round(company.cores() or 0.0, 2)
    # quiet repeats scatter around their median; of those that others disturbed the fastest is nearest to the machine
    which = "fastest" if busy_cores >= CROWDED_CORES else "seconds"
    types = {record["type"]: _cost({**record, "seconds": record[which]}) for record in told if "type" in record}
    attention_s = {int(n): float(s) for n, s in found.get("attention_s", {}).items()}
    return Calibration(
        threads,
        types,
        found.get("layer_s", 0.0),
        attention_s,
        busy_cores=busy_cores,
        taken_unix=taken_unix,
        took_s=took,
    )


def _told(arguments: list[str], budget_s: float, *, asleep: bool) -> Iterator[dict[str, Any]]:
    """The worker's records; it is killed when the budget is spent, and leaves no file. OSError: it could not be started."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LLAMA_ARG")}
    environment |= waiting(environment, asleep=asleep)
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="cpu-codegen-"))
        command = [sys.executable, "-m", "cpu_codegen.plan.worker", folder, *arguments]
        process = stack.enter_context(
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
        )
        stack.callback(process.kill)
        guard = threading.Timer(budget_s, process.kill)
        guard.start()
        stack.callback(guard.cancel)
        assert process.stdout is not None
        yield from (record for line in process.stdout if (record := _record(line)))


def _record(line: str) -> dict[str, Any]:
    """A killed worker may leave half a line."""
    try:
        record = json.loads(line)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
