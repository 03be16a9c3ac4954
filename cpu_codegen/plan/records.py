"""A survey as data, for `-o json` and jsonl."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.estimate import Plan
from cpu_codegen.plan.fitting import Fitting
from cpu_codegen.plan.survey import Survey
from cpu_codegen.requirements import Gate
from cpu_codegen.store import plain


def as_records(found: Survey, recommended: str | None) -> dict[str, Any]:
    """For machines: bytes, seconds, tokens per second; intervals as low and high; unknown is null.

    `recommended` is the model to begin with, as `recommend` chooses.
    """
    gates = _gate_records(found.gates)
    plans = [_record(plan) | _fitting_record(found.fittings.get(plan.spec.name)) for plan in found.plans]
    plans = [plan | ({"require": gates[plan["model"]]} if gates else {}) for plan in plans]
    return {
        "machine": found.machine_line,
        "basis": found.basis,
        "recommended": recommended,
        "notes": found.notes,
        "plans": plans,
        **({"requirements": list(gates.values())} if gates else {}),
    }


def _gate_records(gates: Sequence[Gate]) -> dict[str, Any]:
    if not gates:
        return {}
    from cpu_codegen.report.gate import gate_record

    return {gate.model: gate_record(gate) for gate in gates}


def _fitting_record(found: Fitting | None) -> dict[str, Any]:
    return {"largest_ctx_tokens": found.ctx_tokens, "best_quant": found.quant or None} if found else {}


def _record(plan: Plan) -> dict[str, Any]:
    record: dict[str, Any] = plain(replace(plan, spec=ModelSpec(plan.spec.name)))
    del record["spec"]
    sizes = {"needed_bytes": plan.ram.needed_bytes, "peak_bytes": plan.ram.peak_bytes} if plan.ram else {}
    if plan.ram:
        record["ram"] |= sizes
    return {
        "model": plan.spec.name,
        "licence": plan.spec.licence or None,
        "disk_bytes": 0 if plan.is_here else plan.ram.weights_bytes if plan.ram else None,
        **record,
        "usable": plan.is_usable,
    }
