"""Figures and times as people say them, in plans and before runs."""

from __future__ import annotations

from cpu_codegen.plan.estimate import Plan


def figure(value: float) -> str:
    """Two figures, more for large numbers: 4.8, 22, 1640."""
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def duration(seconds: float) -> str:
    """`40 s`, `21 min`, `1 h 36 min`, `27 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours < 10 else f"{hours} h"


def both_ways(plan: Plan) -> str:
    """` (40 min without reasoning)`, of models that reason: the other way than the hours in front of it."""
    if plan.reasoning_run_s is None or plan.plain_run_s is None:
        return ""
    if plan.reasons:
        return f" ({duration(plan.plain_run_s)} without reasoning)"
    return f" ({duration(plan.reasoning_run_s)} with reasoning)"


def ago(seconds: float) -> str:
    """`40 s`, `21 min`, `27 h`, `3 days`: one unit, two of it at least."""
    for unit, length in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
