"""Comparisons as tables and as JSON records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cpu_codegen.compare import Metric, Pairing
from cpu_codegen.compare_runs import Comparison, Step
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.sizes import format_bytes
from cpu_codegen.stats import Estimate
from cpu_codegen.store import plain

_MINUS = "\u2212"
_COLUMNS = ("what", "other v baseline [95 %]", "verdict", "n", "note")


def tables(comparisons: Sequence[Comparison], steps: Sequence[Step]) -> list[Table]:
    """One table per comparison, then what each style or quantization costs and buys."""
    found = [comparison_table(comparison) for comparison in comparisons]
    if len(comparisons) > 1 or any(_is_of_styles(c) for c in comparisons):
        found.append(overview(comparisons))
    return [*found, *([ladder_table(steps)] if steps else [])]


def _is_of_styles(comparison: Comparison) -> bool:
    return any(difference.name == "style" for difference in comparison.differing)


def comparison_table(comparison: Comparison) -> Table:
    """One pair: every metric with its interval and verdict."""
    rows: list[tuple[Cell, ...]] = [_row(metric) for metric in comparison.pairing.metrics]
    if comparison.is_repeat:
        rows.append(("flips", None, None, comparison.pairing.problems, flips(comparison.pairing)))
    return Table(_COLUMNS, rows, title=heading(comparison), right=frozenset(("n",)))


def heading(comparison: Comparison) -> str:
    """`other against baseline (lowcost60, plain; model: a v b)`."""
    differing = "; ".join(map(str, comparison.differing)) or "nothing differs but chance"
    if comparison.corrected_p is not None:
        differing += f"; pass@1 p = {comparison.corrected_p:.3f} after Holm's correction"
    return f"{comparison.other} against {comparison.baseline} ({comparison.suite}, {comparison.style}; {differing})"


def flips(pairing: Pairing) -> str:
    """Verdicts that chance alone changed."""
    changed = pairing.gained + pairing.lost
    return (
        f"{changed} of {pairing.problems} problems changed their verdict: {pairing.gained} gained, {pairing.lost} lost"
    )


def _row(metric: Metric) -> tuple[Cell, ...]:
    verdict = metric.verdict.replace("_", " ") if metric.verdict else None
    n = metric.estimate.n if metric.estimate else None
    note = metric.note if metric.p is None else f"p = {metric.p:.3f}; {metric.note}"
    return (metric.name, figure(metric), verdict, n, note or None)


def figure(metric: Metric) -> str:
    """`+3.3 points [−2.0, +8.6]` or `0.71× [0.66, 0.77]`."""
    if metric.estimate is None:
        return "not measured"
    return points(metric.estimate) if metric.kind == "difference" else times(metric.estimate)


def points(estimate: Estimate) -> str:
    """A difference of shares in percentage points."""
    return f"{signed(estimate.value)} points [{signed(estimate.low)}, {signed(estimate.high)}]"


def signed(share: float) -> str:
    """`+3.3` for 0.033."""
    text = f"{abs(share) * 100:.1f}"
    if float(text) == 0:
        return text
    return (_MINUS if share < 0 else "+") + text


def times(estimate: Estimate) -> str:
    """A ratio; without an interval where one problem or one reading stands behind it."""
    if estimate.n < 2 or math.isinf(estimate.high):
        return f"{estimate.value:.2f}×"
    return f"{estimate.value:.2f}× [{estimate.low:.2f}, {estimate.high:.2f}]"


def overview(comparisons: Sequence[Comparison]) -> Table:
    """One line per comparison: what the other costs and buys against its baseline."""
    names = ("pass@1", "tokens", "seconds", "energy", "code CPU time")
    rows: list[tuple[Cell, ...]] = []
    for c in comparisons:
        figures = [_short(c.pairing.metric(name)) for name in names]
        rows.append((c.other, c.baseline, c.suite, c.style, *figures))
    columns = ("other", "baseline", "suite", "style", "points", *names[1:])
    return Table(columns, rows, title="What each costs and buys (* = the interval rules no difference out)")


def _short(metric: Metric) -> str | None:
    if metric.estimate is None:
        return None
    value = signed(metric.estimate.value) if metric.kind == "difference" else f"{metric.estimate.value:.2f}×"
    return value + ("*" if metric.verdict in ("better", "worse") else "")


def ladder_table(steps: Sequence[Step]) -> Table:
    """A quantization ladder: what each step costs and buys."""
    rows: list[tuple[Cell, ...]] = []
    for step in steps:
        against = step.against_first.correctness if step.against_first else None
        rows.append(
            (
                step.model,
                step.quant,
                format_bytes(step.size_bytes),
                step.suite,
                step.style,
                None if step.pass1 is None else f"{step.pass1.value:.1%} [{step.pass1.low:.1%}, {step.pass1.high:.1%}]",
                figure(against) if against else "the largest",
                against.verdict.replace("_", " ") if against and against.verdict else None,
                *(None if value is None else f"{value:.3g}" for value in (step.tokens, step.seconds, step.joules)),
            )
        )
    columns = (
        *("model", "quant", "size", "suite", "style", "pass@1 [95 %]", "against the largest [95 %]", "verdict"),
        *("tokens/answer", "s/answer", "J/answer"),
    )
    right = frozenset(("size", "tokens/answer", "s/answer", "J/answer"))
    return Table(columns, rows, title="Quantizations of one model", right=right)


def records(comparisons: Sequence[Comparison], steps: Sequence[Step]) -> dict[str, Any]:
    """The same for JSON; figures that were not measured are null and their note says why."""
    return {
        "comparisons": [
            {
                "baseline": c.baseline,
                "other": c.other,
                "suite": c.suite,
                "style": c.style,
                "differing": plain(c.differing),
                "problems": c.pairing.problems,
                "gained": c.pairing.gained,
                "lost": c.pairing.lost,
                "corrected_p": c.corrected_p,
                "metrics": plain(c.pairing.metrics),
            }
            for c in comparisons
        ],
        "ladder": plain(steps),
    }
