"""What the answers to one problem are measured on, and what they are measured against.

Ours: `scaled(n)` at the three SIZES of the problem file, smallest first; the problem file is the reference. HumanEval+ and
MBPP+: the inputs that cost the canonical solution most; it is the reference. Suites whose tests are code have no inputs to measure.
"""

from __future__ import annotations

import json
import math
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
def open_workload(sandbox: Sandbox, problem: Problem) -> Iterator[Workload]:
    """The workload of a problem, ready for as long as the block lasts. NoWorkload where there is none."""
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
        yield _heaviest(sandbox, problem, task)
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
        return tuple(_rung(i, size, [probe.scaled(size, _SEED)]) for i, size in enumerate(sorted(facts.sizes)))
    except ProbeFailed as error:
        raise NoWorkload(f"scaled inputs cannot be made: {error}") from error


def _rung(number: int, size: int | None, batch: list[Any]) -> Rung:
    return Rung(number, size, batch, len(json.dumps(batch)))


def _heaviest(sandbox: Sandbox, problem: Problem, task: EvalPlusTask) -> Workload:
    """One rung of the three inputs that cost the canonical solution most, of the longest ones and some of the rest."""
    from cpu_codegen.judging.inputs import encoded_inputs

    base, plus = encoded_inputs(task.task_id, task.packed_record)
    tests = base + plus
    if not tests:
        raise NoWorkload("the suite has no inputs for this problem")
    tried = _candidates(tests)
    try:
        with sandbox.session(task.canonical, problem.entry_point, limits=Limits()) as session:
            costs = [(_cost_s(session, args), place) for place, args in enumerate(tried)]
    except SessionFailed as error:
        raise NoWorkload(f"the canonical solution failed: {error.detail}") from error
    kept = sorted(costs, reverse=True)[:_KEPT_INPUTS]
    inputs = InputCount(len(tests), len(tried), sum(cost_s < FLOOR_S for cost_s, _ in costs))
    rung = _rung(0, None, [tried[place] for _, place in kept])
    return Workload(task.canonical, problem.entry_point, (rung,), tests=lambda: tests, inputs=inputs)


def _cost_s(session: Session, args: Encoded) -> float:
    """CPU time of one call; a quick one is repeated, because a window itself costs some 50 µs."""
    once_s = session.call([args]).cpu_s
    if once_s >= _REPEATED_BELOW_S:
        return once_s
    count = math.ceil(_REPEATED_BELOW_S / max(once_s, _WINDOW_COST_S))
    return session.call([args], repeats=count).cpu_s / count


def _candidates(tests: list[Encoded]) -> list[Encoded]:
    """At most _TRIED_INPUTS of them: the longest half, and the rest at even distances (what is slow need not be long)."""
    half = _TRIED_INPUTS // 2
    by_length = sorted(tests, key=lambda args: len(json.dumps(args)), reverse=True)
    longest, rest = by_length[:half], by_length[half:]
    step = max(1, -(-len(rest) // half))
    return longest + rest[::step]
