"""Ladders as tables and as JSON records."""

from __future__ import annotations

import math
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.fidelity.steps import Ladder, Step
from cpu_codegen.report import figures
from cpu_codegen.report.records import estimate_record
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.sizes import format_bytes
from cpu_codegen.stats import Estimate

COLUMNS = (
    "model",
    "quant",
    "size",
    "bits/byte [95 %]",
    "KL nats, mean [95 %]",
    "KL nats, 99th percentile [95 %]",
    "same top token [95 %]",
    "KL v the file above [95 %]",
    "from the base",
)


def title(ladder: Ladder) -> str:
    """Names the base: figures of another base mean something else."""
    return (
        f"Fidelity to {ladder.base} ({format_bytes(ladder.base_bytes)}, sha256 {ladder.base_sha256[:12]}), "
        f"{ladder.suite}: {count_of(ladder.problems, 'problem')}, {ladder.tokens:,} tokens of references"
    )


def table(ladder: Ladder) -> Table:
    """One row per file, the base first."""
    return Table(COLUMNS, [_row(step) for step in ladder.steps], title=title(ladder), right=frozenset(("size",)))


def _row(step: Step) -> tuple[Cell, ...]:
    return (
        step.name,
        step.quant or None,
        format_bytes(step.size_bytes),
        interval(step.bits_per_byte),
        interval(step.kl_nats) if step.kl_nats else "the base",
        interval(step.kl_p99_nats) if step.kl_p99_nats else None,
        _share(step.same_top) if step.same_top else None,
        interval(step.against_above, signed=True) if step.against_above else None,
        step.verdict.replace("_", " ") if step.verdict else None,
    )


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """`0.0123 [0.0110, 0.0140]`, three significant figures; without an interval where one problem stands behind it."""
    show = _signed if signed else figures.number
    if not math.isfinite(estimate.high):
        return f"{show(estimate.value)} (one problem: no interval)"
    return f"{show(estimate.value)} [{show(estimate.low)}, {show(estimate.high)}]"


def _share(estimate: Estimate) -> str:
    """Three decimals: quantizations differ in the third."""
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _signed(value: float) -> str:
    text = figures.number(abs(value))
    return (figures.MINUS if value < 0 else "+" if value > 0 else "") + text


def record(ladder: Ladder) -> dict[str, Any]:
    """The same for programs: estimates as value, low, high, n (problems); null = not measured against itself."""
    return {
        "base": {
            "name": ladder.base,
            "quant": ladder.base_quant,
            "sha256": ladder.base_sha256,
            "size_bytes": ladder.base_bytes,
        },
        "suite": ladder.suite,
        "problems": ladder.problems,
        "tokens": ladder.tokens,
        "reference_bytes": ladder.reference_bytes,
        "vocabulary": ladder.vocabulary,
        "builds": list(ladder.builds),
        "steps": [_step_record(step) for step in ladder.steps],
        "notes": list(ladder.notes),
    }


def _step_record(step: Step) -> dict[str, Any]:
    estimates = ("bits_per_byte", "kl_nats", "kl_p99_nats", "same_top", "against_above")
    return {
        "name": step.name,
        "quant": step.quant,
        "sha256": step.sha256,
        "size_bytes": step.size_bytes,
        **{name: estimate_record(getattr(step, name)) for name in estimates},
        "verdict": step.verdict,
    }
