"""`--require "ram<2G, ttft<5s, pass@1[lowcost60,plain]>0.5"`: text → terms, and what is known of a model → verdicts. Pure.

The rule: a term is PASS or FAIL when the whole two-sided 95 % interval lies on one side of the limit (of a single maximum, which
has no interval: the value), else INCONCLUSIVE; what was not measured is INCONCLUSIVE and says why. A model is FAIL if any term
fails, else INCONCLUSIVE if any is, else PASS. Not covered: where the figures come from (report/gate.py for runs, plan/gate.py for
plans).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn

from cpu_codegen.errors import CheckFailed, UsageError
from cpu_codegen.requirement_units import UNITS, Unit, parse_value

NAMES = {
    "ram": Unit.BYTES,  # peak resident memory of the engine
    "ttft": Unit.SECONDS,  # time to first token at one stream, median
    "ttft_p95": Unit.SECONDS,
    "s_per_problem": Unit.SECONDS,  # mean, a share of one model load included
    "wh_per_problem": Unit.WATT_HOURS,  # mean
}
KNOWN = "ram, ttft, ttft_p95, pass@K, s_per_problem, wh_per_problem"
SHAPE = "NAME<LIMIT or NAME>LIMIT, by comma; pass@1[SUITE,STYLE]>0.5, ram<2G, ttft<5s"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:@\d*)?")
_PASS = re.compile(r"pass@([1-9]\d{0,5})")
_OPERATOR = re.compile(r"[<>]=?|=+|≤|≥")
_OPERATORS = {"<": "<", "<=": "<=", ">": ">", ">=": ">=", "≤": "<=", "≥": ">="}
_SELECTOR = re.compile(r"[^\[\],<>=]*")
_VALUE = re.compile(r"[^,\[\]<>]*")
_FIRST_WORD = re.compile(r"[^\s,\[\]<>]*")


class Verdict(StrEnum):
    """Of a term or of a model."""

    PASS = "PASS"
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Term:
    """One requirement. `limit` in the name's unit; `selectors`: words that suite, style or level must be among; `text` as typed."""

    name: str
    operator: str
    limit: float
    text: str
    selectors: tuple[str, ...] = ()

    @property
    def unit(self) -> Unit:
        """What the limit counts."""
        return NAMES.get(self.name, Unit.SHARE)

    @property
    def k(self) -> int:
        """The k of pass@k, 0 for others."""
        match = _PASS.fullmatch(self.name)
        return int(match[1]) if match else 0

    @property
    def wants_less(self) -> bool:
        """Whether smaller is better."""
        return self.operator.startswith("<")

    def holds(self, value: float) -> bool:
        """Does one value meet the limit?"""
        if self.wants_less:
            return value < self.limit or (self.operator == "<=" and value == self.limit)
        return value > self.limit or (self.operator == ">=" and value == self.limit)


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


# ── text → terms ─────────────────────────────────────────────────────────────────────────────────────────────────────


def parse_requirements(text: str) -> tuple[Term, ...]:
    """The terms of a `--require`. UsageError (exit 2) with the position of what cannot be read, and the known names."""
    return _Reader(text).terms()


class _Reader:
    """A cursor over the text; positions in errors count from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def terms(self) -> tuple[Term, ...]:
        """All of them."""
        found = [self._term()]
        while self.at < len(self.text):
            self._expect(",", "a comma between two terms")
            found.append(self._term())
        return tuple(found)

    def _term(self) -> Term:
        self._blanks()
        start = self.at
        name = self._name()
        selectors = self._selectors()
        operator = self._operator(name)
        self._blanks()
        limit = self._limit(name)
        return Term(name, operator, limit, self.text[start : self.at].strip(), selectors)

    def _blanks(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        return match[0] if match else ""

    def _refuse(self, what: str, remedy: str, at: int | None = None) -> NoReturn:
        place = self.at if at is None else at
        shown = f"--require, position {place + 1}: {what}"
        raise UsageError(f"{shown}\n  {self.text}\n  {' ' * place}^", remedy=remedy)

    def _expect(self, character: str, what: str) -> None:
        self._blanks()
        if self.text[self.at : self.at + 1] != character:
            found = self.text[self.at : self.at + 1]
            self._refuse(f"expected {what}" + (f", not {found!r}" if found else ""), SHAPE)
        self.at += 1

    def _name(self) -> str:
        name = self._match(_NAME)
        if not name:
            self._refuse("expected a name" if self.at < len(self.text) else "a term is missing", f"one of {KNOWN}")
        if name not in NAMES and not _PASS.fullmatch(name):
            self._refuse(f"{name!r} is not known", f"one of {KNOWN}")
        self.at += len(name)
        return name

    def _selectors(self) -> tuple[str, ...]:
        self._blanks()
        if self.text[self.at : self.at + 1] != "[":
            return ()
        self.at += 1
        found: list[str] = []
        while True:
            word = self._match(_SELECTOR)
            if not word.strip():
                self._refuse("expected a suite, a style or a level", "[lowcost60,plain]")
            found.append(word.strip())
            self.at += len(word)
            if self.text[self.at : self.at + 1] == "]":
                self.at += 1
                return tuple(found)
            self._expect(",", "] or a comma")

    def _operator(self, name: str) -> str:
        self._blanks()
        found = self._match(_OPERATOR)
        if found not in _OPERATORS:
            self._refuse(f"expected < or > after {name}" + (f", not {found!r}" if found else ""), SHAPE)
        self.at += len(found)
        return _OPERATORS[found]

    def _limit(self, name: str) -> float:
        word, start = self._match(_VALUE), self.at
        unit = NAMES.get(name, Unit.SHARE)
        limit = parse_value(word.strip(), unit)
        if limit is None:  # `ram<2G ttft<5s`: the limit is whole, a comma is missing
            first = self._match(_FIRST_WORD)
            limit = parse_value(first, unit)
            word = word if limit is None else first
        if limit is None:
            said = f"{word.strip()!r} is no {UNITS[unit].noun}" if word.strip() else "expected a limit"
            self._refuse(said, f"{UNITS[unit].examples}", start)
        self.at += len(word)
        return limit


# ── figures → verdicts ───────────────────────────────────────────────────────────────────────────────────────────────


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
