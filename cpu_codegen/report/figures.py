"""Numbers as people read them: an estimate with its interval, seconds, rates. Pure text, no escaping (that is each sink's)."""

from __future__ import annotations

import math

from cpu_codegen.counts import count_of
from cpu_codegen.report.rates import Paired
from cpu_codegen.report.summary import Cell, Efficiency
from cpu_codegen.sizes import format_bytes
from cpu_codegen.stats import Estimate

MINUS = "\u2212"


def signed(value: float) -> str:
    """Two decimals with a sign: +0.05, −0.03, 0.00."""
    text = f"{abs(value):.2f}"
    if float(text) == 0:
        return text
    return (MINUS if value < 0 else "+") + text


def share(estimate: Estimate | None) -> str:
    """`0.82 [0.70, 0.90]`, or – where there is nothing."""
    if estimate is None:
        return "–"
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def difference(estimate: Estimate) -> str:
    """`−0.03 [−0.12, +0.05]`."""
    return f"{signed(estimate.value)} [{signed(estimate.low)}, {signed(estimate.high)}]"


def ratio(estimate: Estimate) -> str:
    """`1.02× [0.98, 1.07]`; an interval that the data do not bound says so."""
    if math.isinf(estimate.high) or math.isinf(estimate.low):
        return f"{estimate.value:.2f}× (one problem: no interval)"
    return f"{estimate.value:.2f}× [{estimate.low:.2f}, {estimate.high:.2f}]"


def efficiency(found: Efficiency) -> str:
    """`1.02× [0.98, 1.07] no difference, n = 51`, with ≥ in front of a lower bound; or why there is none."""
    if found.ratio is None:
        return found.why
    bound = "≥ " if found.censored else ""
    verdict = f" {found.verdict}" if found.verdict else ""  # too few problems for one
    return f"{bound}{ratio(found.ratio)}{verdict}, n = {found.ratio.n}"


def number(value: float | None, digits: int = 3) -> str:
    """Three significant figures with thousands separated: 0.0512, 1,640, 48,100; – where there is none."""
    if value is None:
        return "–"
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    rounded = round(value, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{rounded:,.{decimals}f}"


def size(count: int | None) -> str:
    """`61 MB`, – where it was not measured."""
    return "–" if count is None else format_bytes(count)


def first_token(cell: Cell) -> str:
    """Seconds to the first token, or why there is no such figure."""
    return f"{number(cell.cost.ttft_s)} s" if cell.cost.ttft_s is not None else cell.cost.ttft_why


def outcomes(cell: Cell) -> str:
    """`96 passed, 9 wrong, 3 error`."""
    parts = [f"{count} {name}" for name, count in cell.outcomes.items()]
    return ", ".join([*parts, *([f"{cell.unknown} unknown"] if cell.unknown else [])]) or "none"


def count(cell: Cell) -> str:
    """`60`; `24 of 60` where not all is there, and how many of them are unknown."""
    whole = f" of {cell.wanted}" if cell.wanted and cell.wanted > cell.n else ""
    return f"{cell.n}{whole}{f', {cell.unknown} unknown' if cell.unknown else ''}"


def probability(p: float) -> str:
    """`p = 0.69`, `p < 0.001`."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.01 else f"p = {p:.2f}"


def paired_line(pair: Paired, *, suite: bool = False) -> str:
    """`cot − plain  −0.03 [−0.12, +0.05]  no difference (McNemar p = 0.69, 60 pairs)`."""
    where = f"{pair.suite}: " if suite else ""
    test = f"{pair.test} {probability(pair.p)}, {count_of(pair.n, 'pair')}"
    return f"{where}{pair.style} {MINUS} {pair.baseline}  {difference(pair.difference)}  {pair.verdict} ({test})"
