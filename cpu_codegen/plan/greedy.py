"""Greedy decoding is the default because it repeats; where a model's authors advise against it, the plan says so."""

from __future__ import annotations

from collections.abc import Sequence

from cpu_codegen.config import Think
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.work import reasons_when


def greedy_warnings(specs: Sequence[ModelSpec], think: Think) -> list[str]:
    """One line for each model whose authors advise against greedy decoding, asked so."""
    return [f"{spec.name}: {warning}" for spec in specs if (warning := against_greedy(spec, think))]


def against_greedy(spec: ModelSpec, think: Think) -> str:
    """What a model's authors say against greedy decoding in this state of its reasoning; "" when nothing."""
    advice = spec.advice
    if advice is None or advice.against_greedy == "never":
        return ""
    reasons = spec.thinking in ("always", "switchable") and reasons_when(think, spec)
    if advice.against_greedy == "thinking" and not reasons:
        return ""
    while_it_reasons = " while it reasons" if advice.against_greedy == "thinking" else ""
    return f"its authors advise against greedy decoding{while_it_reasons}; --sampling recommended takes their values"
