"""What the answers to one problem are measured on, and what they are measured against.

Ours: `scaled(n)` at the three SIZES of the problem file, smallest first; the problem file is the reference. HumanEval+ and
MBPP+: the inputs that cost the canonical solution most; it is the reference. Suites whose tests are code have no inputs to measure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox import ProbeFailed, ProblemProbe, Sandbox, SessionFailed
from cpu_codegen.sandbox.probe import Facts
from cpu_codegen.schema import EvalPlusTask, Limits, Problem, ProblemFileTask

_SEED = 0
_TRIED_INPUTS = 60
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
class Workload:
    """The rungs of a problem, smallest first, its reference, and what the file says of growth ("reference", "naive" → class)."""

    source: str
    entry_point: str
    rungs: tuple[Rung, ...]
    probe: ProblemProbe | None = None
    naive_entry: str = ""
    growth: tuple[tuple[str, str], ...] = ()

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
            yield Workload(task.source, problem.entry_point, rungs, probe, naive_entry, facts.growth)
    elif isinstance(task, EvalPlusTask):
        yield Workload(task.canonical, problem.entry_point, (_heaviest(sandbox, problem, task),))
    else:
        raise NoWorkload("the suite's tests are code, not inputs")


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


def _heaviest(sandbox: Sandbox, problem: Problem, task: EvalPlusTask) -> Rung:
    """The three inputs that cost the canonical solution most, among the longest and the rest in turn."""
    from cpu_codegen.judging.inputs import encoded_inputs

    base, plus = encoded_inputs(task.task_id, task.packed_record)
    encoded = base + plus
    encoded.sort(key=lambda args: len(json.dumps(args)), reverse=True)
    longest = encoded[: _TRIED_INPUTS // 2]
    rest = encoded[_TRIED_INPUTS // 2 :]
    tried = longest + rest[:: max(1, len(rest) // (_TRIED_INPUTS // 2))]
    try:
        with sandbox.session(task.canonical, problem.entry_point, limits=Limits()) as session:
            costs = [(session.call([args]).cpu_s, place) for place, args in enumerate(tried)]
    except SessionFailed as error:
        raise NoWorkload(f"the canonical solution failed: {error.detail}") from error
    kept = sorted(costs, reverse=True)[:_KEPT_INPUTS]
    return _rung(0, None, [tried[place] for _, place in kept])
