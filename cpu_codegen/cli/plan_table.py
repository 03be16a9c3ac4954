"""Plans as tables: everything for a wide window, what decides for one of 80 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cpu_codegen.counts import count_of
from cpu_codegen.plan.estimate import SHOWN, Plan
from cpu_codegen.plan.words import both_ways, duration, figure
from cpu_codegen.report.tables import Table
from cpu_codegen.sizes import format_bytes

if TYPE_CHECKING:
    from cpu_codegen.plan.fitting import Fitting
    from cpu_codegen.plan.memory import Ram
    from cpu_codegen.plan.survey import Survey


def table(found: Survey) -> Table:
    """One row for each model."""
    answers = f"{count_of(found.answers, 'answer')} est."
    columns = ("model", "file", "RAM", "prefill est.", "decode est.", "decode meas.", answers, "verdict", "instead")
    right = frozenset(columns[1:7])
    return Table(columns, [_row(plan) for plan in found.plans], right=right)


def narrow_table(found: Survey) -> Table:
    """What decides: RAM, tokens per second of one stream (estimated, and measured where something was), time, verdict."""
    is_measured = any(plan.measured for plan in found.plans)
    rates = ("tok/s est.", "meas.") if is_measured else ("tok/s est.",)
    columns = ("model", "RAM", *rates, count_of(found.answers, "answer"), "verdict")
    rows = [_narrow_row(plan, is_measured=is_measured) for plan in found.plans]
    return Table(columns, rows, right=frozenset(columns[1:-1]))


def wide_table(found: Survey) -> Table:
    """Everything of one model in one row: figures with both ends of their intervals, what still fits, requirements."""
    rows = table(found)
    numbers = [(*row, *_numbers(plan)) for row, plan in zip(rows.rows, found.plans, strict=True)]
    rows = Table((*rows.columns, *_NUMBERS), numbers, right=rows.right)
    if found.fittings:
        told = [found.fittings[plan.spec.name] for plan in found.plans]
        more = [(*row, fit.ctx_tokens, fit.quant or None) for row, fit in zip(rows.rows, told, strict=True)]
        rows = Table((*rows.columns, "largest context", "best quantization"), more, right=rows.right)
    if not found.gates:
        return rows
    from cpu_codegen.report.gate import with_gates

    return with_gates(rows, found.gates, range(len(found.plans)))


_FIGURES = ("ram_bytes", "prefill_tokens_s", "decode_tokens_s", "run_s")
_NUMBERS = tuple(f"{figure}{end}" for figure in _FIGURES for end in ("", "_low", "_high"))


def _numbers(plan: Plan) -> tuple[float | None, ...]:
    """The estimates of one plan, each with its interval; a run's time is measured where a run tells."""
    rates = [(rate.value, rate.interval) if rate else (None, None) for rate in (plan.prefill, plan.decode)]
    ram = (plan.ram.needed_bytes, plan.ram.interval) if plan.ram else (None, None)
    pairs = [ram, *rates, (plan.run_s, plan.run_interval)]
    return tuple(
        number for value, ends in pairs for number in (value, ends.low if ends else None, ends.high if ends else None)
    )


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
    slow = " · slow?" if plan.slow_in_company else " · slow"
    return SHOWN[plan.verdict] + (slow if plan.slow and plan.verdict != "too_big" else "")


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


# ── one model in lines ───────────────────────────────────────────────────────────────────────────────────────────────


def details(plan: Plan, fit: Fitting) -> list[str]:
    """Of a model that was asked about by name: its memory in parts, speeds and time with their intervals, what still fits."""
    lines = [_memory_line(plan.ram, plan.ctx_tokens)] if plan.ram else []
    lines += [_speed_line(plan)] if plan.decode and plan.verdict != "too_big" else []
    return [f"{plan.spec.name}: {line}" for line in (*lines, _fitting_line(fit))]


def _memory_line(ram: Ram, ctx_tokens: int) -> str:
    """`RAM 1.93 GB [1.78, 2.09] = weights 1.64 GB + KV cache of 4096 tokens 117 MB + compute 98 MB + process 80 MB`."""
    parts = {
        "weights": ram.weights_bytes,
        f"KV cache of {ctx_tokens} tokens": ram.kv_bytes,
        "compute": ram.compute_bytes,
        "process": ram.process_bytes,
    }
    interval = f"[{format_bytes(round(ram.interval.low))}, {format_bytes(round(ram.interval.high))}]"
    told = " + ".join(f"{name} {format_bytes(size)}" for name, size in parts.items())
    return f"RAM {format_bytes(ram.needed_bytes)} {interval} = {told}"


def _speed_line(plan: Plan) -> str:
    """`prefill 60 [52, 69], decode 12 [10, 14] tokens/s in one stream; 60 answers, 8 together, in 21 min [9 min, 52 min]`."""
    assert plan.prefill is not None
    assert plan.decode is not None
    text = f"prefill {_with_interval(plan.prefill)}, decode {_with_interval(plan.decode)} tokens/s in one stream"
    if plan.run_s is None or plan.run_interval is None:
        return text
    width = plan.measured.width if plan.measured else plan.width
    together = f", {width} together," if width > 1 else ""
    interval = f"[{duration(plan.run_interval.low)}, {duration(plan.run_interval.high)}]"
    return f"{text}; {count_of(plan.answers, 'answer')}{together} in {duration(plan.run_s)} {interval}"


def _fitting_line(found: Fitting) -> str:
    """`largest context that fits 32768 tokens (all of its own); best quantization that fits name@q8_0, 1.65 GB`."""
    if found.ctx_tokens is None:
        context = "largest context: cannot be told"
    elif found.ctx_tokens == 0:
        context = "no context fits"
    else:
        context = f"largest context that fits: {found.ctx_tokens} tokens" + (
            " (all of its own)" if found.is_whole else ""
        )
    quant = (
        f"{found.quant} ({format_bytes(found.bytes)}{', slow' * found.slow})" if found.quant else "none that is listed"
    )
    return f"{context}; best quantization that fits: {quant}"
