"""The measurer measured: programs timed against themselves, and naive solutions against references.

The first gives the false-difference rate: how often two runs of one program would be called different. The second tells whether
real differences are found. Both go the way that answers go (scout.py, blocks.py). docs/metrics.md keeps figures of past runs.
"""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.errors import HarnessError
from cpu_codegen.measure.blocks import MIN_BLOCKS, compare
from cpu_codegen.measure.program import affordable
from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.scout import Reference, call_limit, climb, opener, scout_reference
from cpu_codegen.measure.timing import Timer
from cpu_codegen.measure.workload import NoWorkload, Workload, open_workload
from cpu_codegen.progress import Progress
from cpu_codegen.sandbox import Sandbox, SessionFailed
from cpu_codegen.schema import Problem, Ratio
from cpu_codegen.stats import clopper_pearson, median

ALLOWED_RATE = 0.05
WANTED_FOUND = 0.90
COMPARISONS = 300
_ONE_SIDED_95 = 0.90  # a two-sided 90 % interval's ends are one-sided 95 % bounds
_WITHIN = 0.03
_RESOLVED = 0.8


@dataclass(slots=True)
class Findings:
    """What the comparisons gave. Ratios of programs to themselves, and per problem whether naive was found slower."""

    same: list[Ratio] = field(default_factory=list)
    naive: dict[str, bool] = field(default_factory=dict)
    disturbed: int = 0
    left_out: dict[str, str] = field(default_factory=dict)

    @property
    def false_differences(self) -> int:
        """Comparisons of a program with itself whose interval does not hold 1."""
        return sum(ratio.verdict != "no difference" for ratio in self.same)

    @property
    def false_rate(self) -> float | None:
        """Their share."""
        return self.false_differences / len(self.same) if self.same else None

    @property
    def false_rate_low(self) -> float:
        """The one-sided 95 % lower bound of that share."""
        return clopper_pearson(self.false_differences, len(self.same), _ONE_SIDED_95).low if self.same else 0.0

    @property
    def found(self) -> int:
        """Problems whose naive solution was found slower."""
        return sum(self.naive.values())

    @property
    def found_high(self) -> float:
        """The one-sided 95 % upper bound of that share."""
        return clopper_pearson(self.found, len(self.naive), _ONE_SIDED_95).high if self.naive else 1.0

    @property
    def holds(self) -> bool:
        """False only where the data rule the promise out, not where chance explains a miss."""
        return self.false_rate_low <= ALLOWED_RATE and self.found_high >= WANTED_FOUND

    def summary(self) -> dict[str, Any]:
        """The figures for people and for JSON; None where nothing was compared."""
        off = [abs(ratio.value - 1) for ratio in self.same]
        reach = sorted(max(ratio.high, 1 / ratio.low) for ratio in self.same)
        return {
            "comparisons": len(self.same),
            "false_differences": self.false_differences,
            "false_rate": self.false_rate,
            "false_rate_low": self.false_rate_low if self.same else None,
            "within_3_percent": sum(value <= _WITHIN for value in off) / len(off) if off else None,
            "median_half_width": median([(r.high - r.low) / 2 for r in self.same]) if self.same else None,
            "resolves_ratio": reach[math.ceil(_RESOLVED * len(reach)) - 1] if reach else None,
            "naive_problems": len(self.naive),
            "naive_found_slower": self.found,
            "naive_share": self.found / len(self.naive) if self.naive else None,
            "naive_missed": sorted(name for name, found in self.naive.items() if not found),
            "disturbed": self.disturbed,
            "left_out": self.left_out,
            "holds": self.holds,
        }


def self_test(
    sandbox: Sandbox,
    problems: Sequence[Problem],
    company: Company,
    *,
    comparisons: int = COMPARISONS,
    budget_s: float = 1.0,
    progress: Progress,
) -> Findings:
    """Times every problem's reference against itself, in turn, and its naive solution against it, `budget_s` each."""
    findings = Findings()
    progress.begin("self-test", comparisons)
    each = math.ceil(comparisons / max(len(problems), 1))
    for problem in problems:
        try:
            with open_workload(sandbox, problem) as workload:
                reference = scout_reference(sandbox, workload, company)
                _naive(findings, sandbox, reference, problem, company, budget_s)
                for _ in itertools.repeat(None, min(each, comparisons - len(findings.same))):
                    _same(findings, sandbox, reference, company, budget_s)
                    progress.advance(f"{findings.false_differences} false differences")
        except (NoWorkload, HarnessError, SessionFailed) as error:
            findings.left_out[problem.id] = str(error)
    progress.end(f"{findings.false_differences} false differences")
    return findings


def _same(findings: Findings, sandbox: Sandbox, reference: Reference, company: Company, budget_s: float) -> None:
    """The reference as its own candidate."""
    workload = reference.workload
    twin = Timer(opener(sandbox, workload.source, workload.entry_point, company, 5.0), company)
    trials, failure = climb(twin, workload.rungs)
    if failure is not None:
        raise failure
    top = affordable(trials, reference.trials, budget_s) or 0
    found = compare(twin, reference.timer, workload.rungs[: top + 1], budget_s=budget_s)
    if len(found) < MIN_BLOCKS:
        raise HarnessError(f"only {count_of(len(found), 'block')} in time: the machine is too busy")
    findings.same.append(found.cpu_ratio)
    findings.disturbed += found.mostly_disturbed


def _naive(
    findings: Findings,
    sandbox: Sandbox,
    reference: Reference,
    problem: Problem,
    company: Company,
    budget_s: float,
) -> None:
    """Naive as a candidate, where its growth is said to differ from the reference's."""
    workload = reference.workload
    if not workload.naive_entry or not differing_growth(workload):
        return
    limit_s = call_limit(reference.trials[-1].cpu_s, budget_s)
    timer = Timer(opener(sandbox, workload.source, workload.naive_entry, company, limit_s), company)
    trials, failure = climb(timer, workload.rungs)
    if failure is not None and failure.detail == "cpu":
        findings.naive[problem.id] = limit_s > reference.trials[len(trials)].cpu_s
        return
    top = affordable(trials, reference.trials, budget_s)
    if top is None:
        raise HarnessError("naive was not measured: the machine is too busy")
    found = compare(timer, reference.timer, workload.rungs[: top + 1], budget_s=budget_s)
    findings.naive[problem.id] = len(found) >= MIN_BLOCKS and found.cpu_ratio.verdict == "slower"


def differing_growth(workload: Workload) -> bool:
    """Does the problem file say that naive grows otherwise than the reference?"""
    growth = dict(workload.growth)
    return "naive" in growth and growth["naive"] != growth.get("reference")


@contextmanager
def busy_core() -> Iterator[None]:
    """Keeps one core busy with a process of our own, to show that the measurer stands company."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()
