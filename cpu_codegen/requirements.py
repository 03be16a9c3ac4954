"""`--require "ram<2G, ttft<5s, pass@1[lowcost60,plain]>0.5"`: text → terms, and what is known of a model → verdicts. Pure.

The rule: a term is PASS or FAIL when the whole two-sided 95 % interval lies on one side of the limit (of a single maximum, which
has no interval: the value), else INCONCLUSIVE; what was not measured is INCONCLUSIVE and says why. A model is FAIL if any term
fails, else INCONCLUSIVE if any is, else PASS. Not covered: where the figures come from (report/gate.py for runs, plan/gate.py for
plans).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from cpu_codegen.errors import CheckFailed
from cpu_codegen.requirement_terms import NAMES as NAMES
from cpu_codegen.requirement_terms import Term as Term
from cpu_codegen.requirement_terms import parse_requirements as parse_requirements
from cpu_codegen.requirement_units import UNITS


class Verdict(StrEnum):
    """Of a term or of a model."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Figure:
    """What is known of a term's quantity in one place. `value` None = not measured, see `why`.

    `low`, `high`: the 95 % interval; equal to the value for a maximum (`is_maximum`). `n` problems stand behind it. `estimated`:
    from a plan, not from a run. `more`: what would decide: problems to add ("lowcost60 has 60, add -s humaneval"), or the command
    that measures what was estimated. `note` stands beside the evidence.
    """

    value: float | None
    low: float = -math.inf
    high: float = math.inf
    n: int = 0
    where: str = ""
    why: str = ""
    is_maximum: bool = False
    estimated: bool = False
    more: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One term in one place: verdict and the evidence in words."""

    term: Term
    figure: Figure
    verdict: Verdict
    evidence: str

    @property
    def shown(self) -> str:
        """`PASS`, `PASS (estimated)` …"""
        decided = self.verdict is not Verdict.INCONCLUSIVE
        return f"{self.verdict} (estimated)" if self.figure.estimated and decided else str(self.verdict)


@dataclass(frozen=True, slots=True)
class Gate:
    """One model (a run, or a plan) against all terms."""

    model: str
    run: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """FAIL if any term fails, else INCONCLUSIVE if any is, else PASS."""
        found = {finding.verdict for finding in self.findings}
        return next((v for v in (Verdict.FAIL, Verdict.INCONCLUSIVE) if v in found), Verdict.PASS)

    @property
    def shown(self) -> str:
        """The verdict, and whether an estimate carries it."""
        carrying = [finding for finding in self.findings if finding.verdict is self.verdict]
        estimated = any(finding.figure.estimated for finding in carrying) and self.verdict is not Verdict.INCONCLUSIVE
        return f"{self.verdict} (estimated)" if estimated else str(self.verdict)


def judge(term: Term, figure: Figure) -> Finding:
    """The verdict of one term on one figure, and its evidence."""
    if figure.value is None:
        return Finding(term, figure, Verdict.INCONCLUSIVE, f"not measured: {figure.why}")
    verdict = _verdict(term, figure)
    return Finding(term, figure, verdict, _evidence(term, figure, verdict))


def _verdict(term: Term, figure: Figure) -> Verdict:
    ends = (term.holds(figure.low), term.holds(figure.high))
    if all(ends):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE if any(ends) else Verdict.FAIL


def _evidence(term: Term, figure: Figure, verdict: Verdict) -> str:
    """`57 % [44, 68], limit 50 %: about 196 problems would decide if the rate stays; lowcost60 has 60, add -s humaneval`."""
    assert figure.value is not None
    unit = UNITS[term.unit]
    interval = "" if figure.is_maximum else f" {unit.interval(figure.low, figure.high)}"
    text = f"{unit.show(figure.value)}{interval}, limit {unit.limit(term.limit)}"
    if verdict is Verdict.INCONCLUSIVE:
        text += f": {_what_decides(term, figure)}"
    return text + (f" ({figure.note})" if figure.note else "")


def _what_decides(term: Term, figure: Figure) -> str:
    if figure.estimated:
        return "the estimate is too wide to decide" + (f"; {figure.more}" if figure.more else "")
    wanted = problems_wanted(term, figure)
    if wanted is None:
        is_bounded = math.isfinite(figure.low) and math.isfinite(figure.high)
        return "no number of problems decides while the value stays at the limit" if is_bounded else "too few problems"
    rate = "rate" if term.k else "spread"
    words = f"about {wanted:,} problems would decide if the {rate} stays"
    return f"{words}; {figure.more}" if figure.more else words


def problems_wanted(term: Term, figure: Figure) -> int | None:
    """How many problems would put the interval on one side, if the rate (else the spread) stays; None = no number does.

    A share: z² · p₀(1 − p₀) / (p − p₀)² with p₀ the limit, which is where Wilson's interval ends on it; p is the rate as shown, in
    whole percent. A mean: an interval's half shrinks with the root of n.
    """
    assert figure.value is not None
    if term.k:
        p = round(figure.value, 2) if round(figure.value, 2) != term.limit else figure.value
        spread, distance = 1.96**2 * term.limit * (1 - term.limit), p - term.limit
        if distance == 0 or spread <= 0:
            return None
        return max(figure.n + 1, math.ceil(round(spread / distance**2, 6)))
    half = figure.high - figure.value if figure.value < term.limit else figure.value - figure.low
    distance = abs(figure.value - term.limit)
    if distance == 0 or not math.isfinite(half) or figure.n < 2:
        return None
    return max(figure.n + 1, math.ceil(figure.n * (half / distance) ** 2))


def require_a_pass(gates: Sequence[Gate], text: str) -> None:
    """CheckFailed (exit 7) unless some model passes."""
    if any(gate.verdict is Verdict.PASS for gate in gates):
        return
    said = "; ".join(f"{gate.model}: {gate.verdict} ({_reason(gate)})" for gate in gates[:4])
    more = f"; and {len(gates) - 4} more" if len(gates) > 4 else ""
    raise CheckFailed(
        f"no model meets --require {text!r}: {said}{more}", remedy="another model, more problems, or another limit"
    )


def _reason(gate: Gate) -> str:
    return next((f"{f.term.text}: {f.evidence}" for f in gate.findings if f.verdict is gate.verdict), "")
