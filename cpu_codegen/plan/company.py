"""A calibration that was taken while other programs were busy: what of it cannot be true is brought down to what can. Pure.

Other programs hit some types and batches and spare others, so that a ladder of quantizations comes out in no order. Two rules hold
on any machine: more tokens in a step never take less time than fewer; and no usual type costs many times what the best one does for
as many weights (or as many bytes, where those are more).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate

from cpu_codegen.gguf_types import TYPES_BY_NAME
from cpu_codegen.plan.calibration import Calibration, TypeCost

MOST = 3.0
"""Times the cost of the best type. On a quiet machine one model as Q4_0, Q4_K_M and Q8_0 was measured within a quarter."""


def plausible(found: Calibration) -> Calibration:
    """The same where the machine was quiet."""
    if not found.is_crowded:
        return found
    rising = {kind: _rising(cost) for kind, cost in found.types.items()}
    batches = {n for cost in rising.values() for n in cost.seconds}
    best = {n: min((cost.seconds[n], kind) for kind, cost in rising.items() if n in cost.seconds) for n in batches}
    return replace(found, types={kind: _bounded(kind, cost, best) for kind, cost in rising.items()})


def _rising(cost: TypeCost) -> TypeCost:
    """Each batch costs at most what any larger one does."""
    batches = sorted(cost.seconds, reverse=True)
    return replace(cost, seconds=dict(zip(batches, accumulate((cost.seconds[n] for n in batches), min), strict=True)))


def _bounded(kind: str, cost: TypeCost, best: dict[int, tuple[float, str]]) -> TypeCost:
    def limit(n: int) -> float:
        seconds, fastest = best[n]
        return MOST * seconds * max(1.0, TYPES_BY_NAME[kind].bits_per_value / TYPES_BY_NAME[fastest].bits_per_value)

    return replace(cost, seconds={n: min(seconds, limit(n)) for n, seconds in sorted(cost.seconds.items())})
