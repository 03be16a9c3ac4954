"""Scouting: one call per size, smallest first: how far a program comes, what it costs, and what it answers there.

Reference and naive are scouted once per problem and used for every answer to it. Not covered: ratios (blocks.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from cpu_codegen.errors import HarnessError
from cpu_codegen.measure.instructions import instruction_counter
from cpu_codegen.measure.memory import Peak, peak_of
from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.timing import Opener, Timer
from cpu_codegen.measure.workload import Rung, Workload
from cpu_codegen.sandbox import Sandbox, Session, SessionFailed
from cpu_codegen.schema import Limits

MAX_CALL_S = 5.0
_LEAST_CALL_S = 0.2
_SLOWER_LIMIT = 10.0
_NAIVE_FROM_S = 1.0  # a share of the budget in which naive may be called too


@dataclass(frozen=True, slots=True)
class Trial:
    """One call at one size while scouting; `elapsed_s` is what it took us, arguments on their way included."""

    cpu_s: float
    elapsed_s: float
    outputs: list[Any] | None = None


@dataclass(slots=True)
class Reference:
    """The reference on a workload: measured once, used for every program of the problem."""

    workload: Workload
    timer: Timer
    trials: list[Trial]
    peaks: dict[int, Peak | None] = field(default_factory=dict)
    naive_trials: list[Trial] | None = None

    def peak(self, rungs: Sequence[Rung]) -> Peak | None:
        """Its memory at the last of the rungs."""
        number = rungs[-1].number
        if number not in self.peaks:
            self.peaks[number] = peak_of(self.timer.open, rungs)
        return self.peaks[number]


def opener(sandbox: Sandbox, code: str, entry_point: str, company: Company, limit_s: float) -> Opener:
    """Opens fresh processes of one program. The wall limit is wider than the CPU limit: others may use the core too."""
    limits = Limits(wall_s=8 * limit_s + 5, call_s=limit_s, cpu_s=limit_s)
    return partial(_open, sandbox, code, entry_point, limits, company.core)


def _open(sandbox: Sandbox, code: str, entry_point: str, limits: Limits, core: int | None) -> Session:
    session = sandbox.session(code, entry_point, limits=limits, core=core)
    session.counter = instruction_counter(session.host_pid)
    return session


def scout_reference(sandbox: Sandbox, workload: Workload, company: Company) -> Reference:
    """Calls the reference once at every size. HarnessError when it fails: that is no program's fault."""
    timer = Timer(opener(sandbox, workload.source, workload.entry_point, company, MAX_CALL_S), company)
    trials, failure = climb(timer, workload.rungs)
    if failure is not None:
        raise HarnessError(f"the reference failed: {failure.detail}: {failure.message}")
    return Reference(workload, timer, trials)


def scout_naive(sandbox: Sandbox, reference: Reference, company: Company, budget_s: float) -> list[Trial]:
    """What the problem's naive solution takes at every size that it reaches, within a share that has room for it; else []."""
    workload = reference.workload
    if reference.naive_trials is None and workload.naive_entry and budget_s >= _NAIVE_FROM_S:
        limit_s = call_limit(reference.trials[-1].cpu_s, budget_s)
        timer = Timer(opener(sandbox, workload.source, workload.naive_entry, company, limit_s), company)
        reference.naive_trials, _ = climb(timer, workload.rungs, fetch=False)
    return reference.naive_trials or []


def climb(timer: Timer, rungs: Sequence[Rung], *, fetch: bool = True) -> tuple[list[Trial], SessionFailed | None]:
    """Calls a program at every size, smallest first, until it fails."""
    trials: list[Trial] = []
    try:
        with timer.open() as session:
            for rung in rungs:
                started = time.perf_counter()
                once, outputs = timer.calibrate(session, rung, fetch=fetch)
                trials.append(Trial(once.cpu_s, time.perf_counter() - started, outputs))
    except SessionFailed as failure:
        return trials, failure
    return trials, None


def call_limit(reference_s: float, budget_s: float) -> float:
    """How long one call may take: a quarter of the program's share, but ten times the reference, at most 5 s."""
    return min(MAX_CALL_S, max(_LEAST_CALL_S, budget_s / 4, _SLOWER_LIMIT * reference_s))
