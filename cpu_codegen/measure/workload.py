"""What the answers to one problem are measured on, and what they are measured against.

Ours: `scaled(n)` at the three SIZES of the problem file, smallest first; the problem file is the reference. HumanEval+ and
MBPP+: of the suite's own inputs those that cost the canonical solution most, and still leave time to compare; it is the reference.
Suites whose tests are code have no inputs to measure.
"""

from __future__ import annotations

import itertools
import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox, Session, SessionFailed
from cpu_codegen.sandbox.probe import Facts
from cpu_codegen.sandbox.session import Encoded
from cpu_codegen.schema import EvalPlusTask, Limits, Problem, ProblemFileTask

FLOOR_S = 20e-6  # a reference call shorter than this is mostly the call itself
_SEED = 0
_TRIED_INPUTS = 60
_REPEATED_BELOW_S = 1e-3
_WINDOW_COST_S = 50e-6
_KEPT_INPUTS = 3
_SEARCH_SHARE = 0.25  # of a program's share, for the search
_BATCH_SHARE = 1 / 60  # of it, for one pass over the batch: seven blocks of two programs call it some forty times


class NoWorkload(Exception):
    """This problem cannot be measured; the message says why."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One size of the ladder: its arguments, encoded. `size` is None where inputs have no size (EvalPlus)."""

    number: int
    size: int | None
    batch: list[Any]
    bytes: int


@dataclass(frozen=True, slots=True)
class InputCount:
    """Of a suite's own inputs: how many there are, how many were timed, how many of these cost the reference too little to tell."""

    total: int
    tried: int
    under_floor: int


@dataclass(frozen=True, slots=True)
class Workload:
    """The rungs of a problem, smallest first, its reference, and what the file says of growth ("reference", "naive" → class).

    `tests` gives the argument lists of the suite's tests; `inputs` counts them where they are all that there is to measure on.
    """

    source: str
    entry_point: str
    rungs: tuple[Rung, ...]
    probe: ProblemProbe | None = None
    naive_entry: str = ""
    growth: tuple[tuple[str, str], ...] = ()
    tests: Callable[[], list[Encoded]] = list
    inputs: InputCount | None = None

    def agrees(self, rung: Rung, outputs: list[Any], reference: list[Any]) -> bool:
        """Are the outputs on a rung right? (EvalPlus's inputs were tests already.)"""
        if self.probe is None:
            return True
        return all(
            self.probe.agrees(args, expected, output)
            for args, expected, output in zip(rung.batch, reference, outputs, strict=True)
        )


@contextmanager
def open_workload(sandbox: Sandbox, problem: Problem, *, share_s: float = 6.0) -> Iterator[Workload]:
    """The workload of a problem, ready for as long as the block lasts. NoWorkload where there is none.

    `share_s` is what one program may take to be measured: it bounds the search for heavy inputs, and how heavy they may be.
    """
    task = problem.task
    if isinstance(task, ProblemFileTask):
        with sandbox.probe(task.source, problem.entry_point) as probe:
            facts = probe.facts()
            naive_entry = "naive" if facts.has_naive else ""
            rungs = _scaled_rungs(probe, facts)
            yield Workload(
                task.source,
                problem.entry_point,
                rungs,
                probe,
                naive_entry,
                facts.growth,
                tests=lambda: _cases(probe, facts.case_count),
            )
    elif isinstance(task, EvalPlusTask):
        yield _heaviest(sandbox, problem, task, share_s)
    else:
        raise NoWorkload("the suite's tests are code, not inputs")


def _cases(probe: ProblemProbe, count: int) -> list[Encoded]:
    """The arguments of the file's cases; [] when the file's process has died."""
    try:
        return [probe.case(number) for number in range(count)]
    except ProbeFailed:
        return []


def _scaled_rungs(probe: ProblemProbe, facts: Facts) -> tuple[Rung, ...]:
    if facts.error:
        raise NoWorkload(f"the problem file does not load: {facts.error}")
    if not facts.has_scaled or not facts.sizes:
        raise NoWorkload("the problem file has no scaled inputs")
    try:
        return tuple(_rung(i, size, [probe.scaled(size, _SEED)]) for i, size in enumerate(sorted(set(facts.sizes))))
    except ProbeFailed as error:
        raise NoWorkload(f"scaled inputs cannot be made: {error}") from error


def _rung(number: int, size: int | None, batch: list[Any]) -> Rung:
    return Rung(number, size, batch, len(json.dumps(batch)))


def _heaviest(sandbox: Sandbox, problem: Problem, task: EvalPlusTask, share_s: float) -> Workload:
    """One rung of at most three inputs, the costliest for the canonical solution that leave time for enough blocks."""
    from cpu_codegen.judging.inputs import encoded_inputs

    base, plus = encoded_inputs(task.task_id, task.packed_record)
    tests = base + plus
    if not tests:
        raise NoWorkload("the suite has no inputs for this problem")
    tried = _candidates(tests)
    try:
        costs = _costs(sandbox, problem, task, tried, _SEARCH_SHARE * share_s)
    except SessionFailed as error:
        raise NoWorkload(f"the canonical solution failed: {error.detail}") from error
    inputs = InputCount(len(tests), len(costs), sum(cost_s < FLOOR_S for cost_s in costs))
    rung = _rung(0, None, [tried[place] for place in _kept(costs, _BATCH_SHARE * share_s)])
    return Workload(task.canonical, problem.entry_point, (rung,), tests=lambda: tests, inputs=inputs)


def _costs(sandbox: Sandbox, problem: Problem, task: EvalPlusTask, tried: list[Encoded], seconds: float) -> list[float]:
    """CPU time of the inputs in turn, as far as the time reaches; three of them at least."""
    ends = time.monotonic() + seconds
    costs: list[float] = []
    with sandbox.session(task.canonical, problem.entry_point, limits=Limits()) as session:
        for args in tried:
            if time.monotonic() > ends and len(costs) >= _KEPT_INPUTS:
                break
            costs.append(_cost_s(session, args))
    return costs


def _kept(costs: list[float], most_s: float) -> list[int]:
    """The places of the costliest inputs that together stay within `most_s`; the cheapest one if none does."""
    places = sorted(range(len(costs)), key=lambda place: -costs[place])
    kept: list[int] = []
    for place in places:
        if len(kept) < _KEPT_INPUTS and sum(costs[k] for k in kept) + costs[place] <= most_s:
            kept.append(place)
    return kept or places[-1:]


def _cost_s(session: Session, args: Encoded) -> float:
    """CPU time of one call; a quick one is repeated, because a window itself costs some 50 µs."""
    once_s = session.call([args]).cpu_s
    if once_s >= _REPEATED_BELOW_S:
        return once_s
    count = math.ceil(_REPEATED_BELOW_S / max(once_s, _WINDOW_COST_S))
    return session.call([args], repeats=count).cpu_s / count


def _candidates(tests: list[Encoded]) -> list[Encoded]:
    """At most _TRIED_INPUTS of them, the longest and some of the rest in turn: what is slow need not be long."""
    half = _TRIED_INPUTS // 2
    by_length = sorted(tests, key=lambda args: len(json.dumps(args)), reverse=True)
    longest, rest = by_length[:half], by_length[half:]
    step = max(1, -(-len(rest) // half))
    pairs = itertools.zip_longest(longest, rest[::step])
    return [args for pair in pairs for args in pair if args is not None]
