"""Comparisons as tables and as JSON records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from cpu_codegen.compare import Metric, Pairing
from cpu_codegen.compare_bought import Bought
from cpu_codegen.compare_runs import Comparison, Step
from cpu_codegen.report.same_texts import SameTexts
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.sizes import format_bytes
from cpu_codegen.stats import Estimate
from cpu_codegen.store import plain

_MINUS = "\u2212"
_STAR = " (* = interval and test rule no difference out)"
_COLUMNS = ("what", "other v baseline [95 %]", "verdict", "n", "note")


def tables(comparisons: Sequence[Comparison], steps: Sequence[Step], styles: Sequence[Step]) -> list[Table]:
    """One table per comparison, then all on a line each, then what each style and each quantization costs and buys."""
    found = [comparison_table(comparison) for comparison in comparisons]
    if len(comparisons) > 1:
        found.append(overview(comparisons))
    if styles:
        found.append(ladder_table(styles, title="Styles of one model", first="the first"))
    if steps:
        found.append(ladder_table(steps, title="Quantizations of one model", first="the largest"))
    return found


def comparison_table(comparison: Comparison) -> Table:
    """One pair: every metric with its interval and verdict."""
    rows: list[tuple[Cell, ...]] = [_row(metric) for metric in comparison.pairing.metrics]
    if comparison.texts is not None:
        rows.append(_texts_row(comparison.texts, comparison))
    if comparison.is_repeat:
        rows.append(("flips", None, None, comparison.pairing.problems, flips(comparison.pairing)))
    if comparison.pairing.bought is not None and any(d.name == "think" for d in comparison.differing):
        rows.append(("it buys", None, None, comparison.pairing.problems, comparison.pairing.bought.sentence()))
    return Table(_COLUMNS, rows, title=heading(comparison), right=frozenset(("n",)))


def heading(comparison: Comparison) -> str:
    """`other against baseline (lowcost60, plain; model: a v b)`."""
    differing = "; ".join(map(str, comparison.differing)) or _nothing_but(comparison)
    return f"{comparison.other} against {comparison.baseline} ({comparison.suite}, {comparison.style}; {differing})"


def _nothing_but(comparison: Comparison) -> str:
    """`nothing differs but chance`, or what may have had it say otherwise: `nothing differs but width: 1 v 8`."""
    return f"nothing differs but {'; '.join(map(str, comparison.beside)) or 'chance'}"


def _texts_row(found: SameTexts, comparison: Comparison) -> tuple[Cell, ...]:
    """How many answers are the same, where the others part, and what may have caused it."""
    causes = "; ".join(map(str, (*comparison.differing, *comparison.beside))) if found.different else ""
    return ("same texts", share(found.share), None, found.answers, "; ".join(filter(None, (found.sentence(), causes))))


def flips(pairing: Pairing) -> str:
    """Verdicts that chance alone changed."""
    changed = pairing.gained + pairing.lost
    return (
        f"{changed} of {pairing.problems} problems changed their verdict: {pairing.gained} gained, {pairing.lost} lost"
    )


def _bought(found: Bought | None) -> dict[str, Any] | None:
    if found is None:
        return None
    extra = {"more": found.more, "extra_hours": found.extra_hours, "more_per_extra_hour": found.per_hour}
    return {**plain(found), **extra}


def _row(metric: Metric) -> tuple[Cell, ...]:
    verdict = metric.verdict.replace("_", " ") if metric.verdict else None
    n = metric.estimate.n if metric.estimate else None
    return (metric.name, figure(metric), verdict, n, "; ".join(filter(None, (_p(metric), metric.note))) or None)


def _p(metric: Metric) -> str:
    """`p = 0.031, 0.094 by Holm`."""
    if metric.p is None:
        return ""
    corrected = "" if metric.corrected_p is None else f", {metric.corrected_p:.3f} by Holm"
    return f"p = {metric.p:.3f}{corrected}"


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
    return Table(columns, rows, title=f"What each costs and buys{_STAR}")


def _short(metric: Metric) -> str | None:
    if metric.estimate is None:
        return None
    value = signed(metric.estimate.value) if metric.kind == "difference" else f"{metric.estimate.value:.2f}×"
    return value + ("*" if metric.verdict in ("better", "worse") else "")


def ladder_table(steps: Sequence[Step], *, title: str, first: str) -> Table:
    """What each step of a ladder costs and buys: points, tokens, seconds, joules; ratios to the first step beside them."""
    rows: list[tuple[Cell, ...]] = [(*_of_step(step), *_gain(step, first), *_costs(step)) for step in steps]
    columns = (
        *("model", "quant", "size", "suite", "style", "pass@1 [95 %]", f"against {first} [95 %]", "verdict"),
        *("tokens/answer", "s/answer", "J/answer"),
    )
    right = frozenset(("size", "tokens/answer", "s/answer", "J/answer"))
    return Table(columns, rows, title=f"{title}: what each step costs and buys{_STAR}", right=right)


def _of_step(step: Step) -> tuple[Cell, ...]:
    size = None if step.size_bytes is None else format_bytes(step.size_bytes)
    return (step.model, step.quant, size, step.suite, step.style, share(step.pass1) if step.pass1 else None)


def share(estimate: Estimate) -> str:
    """`76.7 % [64.6, 85.6]`."""
    return f"{estimate.value * 100:.1f} % [{estimate.low * 100:.1f}, {estimate.high * 100:.1f}]"


def _gain(step: Step, first: str) -> tuple[Cell, Cell]:
    if step.against_first is None:
        return first, None
    found = step.against_first.correctness
    return figure(found), found.verdict.replace("_", " ") if found.verdict else None


def _costs(step: Step) -> tuple[Cell, ...]:
    named = (("tokens", step.tokens), ("seconds", step.seconds), ("energy", step.joules))
    against = step.against_first
    return tuple(_cost(value, against.metric(name) if against else None) for name, value in named)


def _cost(value: float | None, metric: Metric | None) -> str | None:
    """`6.21 (1.48×*)`."""
    if value is None:
        return None
    ratio = f" ({_short(metric)})" if metric and metric.estimate else ""
    return f"{value:.3g}{ratio}"


def records(comparisons: Sequence[Comparison], steps: Sequence[Step], styles: Sequence[Step]) -> dict[str, Any]:
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
                "bought": _bought(c.pairing.bought),
                "same_texts": plain(c.texts),
                "beside": plain(c.beside),
            }
            for c in comparisons
        ],
        "ladder": plain(steps),
        "styles": plain(styles),
    }
