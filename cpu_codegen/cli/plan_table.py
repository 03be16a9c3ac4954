"""Plans as tables: everything for a wide window, what decides for one of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cpu_codegen.plan.estimate import SHOWN, Plan
from cpu_codegen.plan.words import both_ways, duration, figure
from cpu_codegen.report.tables import Table
from cpu_codegen.sizes import format_bytes

if TYPE_CHECKING:
    from cpu_codegen.plan.survey import Survey


def table(found: Survey) -> Table:
    """One row for each model."""
    answers = f"{found.answers} answers est."
    columns = ("model", "file", "RAM", "prefill est.", "decode est.", "decode meas.", answers, "verdict", "instead")
    right = frozenset(columns[1:7])
    return Table(columns, [_row(plan) for plan in found.plans], right=right)


def narrow_table(found: Survey) -> Table:
    """What decides: RAM, tokens per second of one stream (estimated, and measured where something was), time, verdict."""
    is_measured = any(plan.measured for plan in found.plans)
    rates = ("tok/s est.", "meas.") if is_measured else ("tok/s est.",)
    columns = ("model", "RAM", *rates, f"{found.answers} answers", "verdict")
    rows = [_narrow_row(plan, is_measured=is_measured) for plan in found.plans]
    return Table(columns, rows, right=frozenset(columns[1:-1]))


def wide_table(found: Survey) -> Table:
    """Everything of one model in one row, requirements and what still fits included."""
    rows = table(found)
    if found.fittings:
        told = [found.fittings[plan.spec.name] for plan in found.plans]
        more = [(*row, fit.ctx_tokens, fit.quant or None) for row, fit in zip(rows.rows, told, strict=True)]
        rows = Table((*rows.columns, "largest context", "best quantization"), more, right=rows.right)
    if not found.gates:
        return rows
    from cpu_codegen.report.gate import with_gates

    return with_gates(rows, found.gates, range(len(found.plans)))


def _row(plan: Plan) -> tuple[Any, ...]:
    size = plan.ram.weights_bytes if plan.ram else None
    hopeless = plan.verdict == "too_big"
    return (
        plan.spec.name,
        _about(plan) + format_bytes(size) if size else None,
        format_bytes(plan.ram.needed_bytes) if plan.ram else None,
        None if hopeless or plan.prefill is None else figure(plan.prefill.value),
        None if hopeless or plan.decode is None else _with_interval(plan.decode),
        _measured(plan),
        None if hopeless or plan.run_s is None else duration(plan.run_s) + both_ways(plan),
        _verdict(plan) + (f": {plan.reason}" if plan.reason else ""),
        plan.nearest,
    )


def _narrow_row(plan: Plan, *, is_measured: bool) -> tuple[Any, ...]:
    hopeless = plan.verdict == "too_big"
    return (
        plan.spec.name,
        format_bytes(plan.ram.needed_bytes) if plan.ram else None,
        None if hopeless or plan.decode is None else figure(plan.decode.value),
        *((_measured(plan),) if is_measured else ()),
        None if hopeless or plan.run_s is None else duration(plan.run_s),
        _verdict(plan),
    )


def _verdict(plan: Plan) -> str:
    return SHOWN[plan.verdict] + (" · slow" if plan.slow and plan.verdict != "too_big" else "")


def _about(plan: Plan) -> str:
    """A length that nobody has seen is computed from the shape."""
    return "" if plan.is_here or plan.spec.size_bytes else "≈ "


def _with_interval(rate: Any) -> str:
    return f"{figure(rate.value)} [{figure(rate.interval.low)}, {figure(rate.interval.high)}]"


def _measured(plan: Plan) -> str | None:
    if plan.measured is None:
        return None
    together = f" ({plan.measured.width} together)" if plan.measured.width > 1 else ""
    return figure(plan.measured.decode_tokens_s) + together
