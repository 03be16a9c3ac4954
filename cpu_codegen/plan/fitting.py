"""What still fits of a model that was asked about by name: the largest context, and the best quantization of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.plan.estimate import COMFORT, Plan
from cpu_codegen.plan.memory import ram
from cpu_codegen.plan.shape import Shape

_STEP_TOKENS = 256
_LEAST_TOKENS = 256


@dataclass(frozen=True, slots=True)
class Fitting:
    """`ctx_tokens` of one stream: at most what the model was made for (`is_whole`), a multiple of 256 below that; 0 = not even 256
    fit, None = cannot be told. `quant` names the largest file of the same model that fits comfortably, a `slow` one only where none
    is quicker; "" = none; `bytes` is its length.
    """

    ctx_tokens: int | None
    is_whole: bool
    quant: str = ""
    bytes: int = 0
    slow: bool = False


def largest_context(shape: Shape | None, room_bytes: int | None) -> tuple[int | None, bool]:
    """Tokens whose need, at the upper end of its interval, stays within the comfortable part of the memory; and: is it all?"""
    if shape is None or room_bytes is None or not shape.context:
        return None, False
    if _fits(shape, shape.context, room_bytes):
        return shape.context, True
    low, high = 0, -(-shape.context // _STEP_TOKENS)  # in steps; `low` fits (or is nothing), `high` does not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _fits(shape, middle * _STEP_TOKENS, room_bytes) else (low, middle)
    return max(low * _STEP_TOKENS, 0), False


def _fits(shape: Shape, cells: int, room_bytes: int) -> bool:
    return cells >= _LEAST_TOKENS and ram(shape, cells=cells, width=1).interval.high <= COMFORT * room_bytes


def fitting(plan: Plan, shape: Shape | None, room_bytes: int | None, quants: Sequence[Plan]) -> Fitting:
    """Of one plan; `quants` are plans of all files of the same model, itself included."""
    ctx, is_whole = largest_context(shape, room_bytes)
    good = [other for other in quants if other.verdict == "fits" and other.ram is not None]
    best = max(good, key=lambda other: (not other.slow, other.ram.weights_bytes if other.ram else 0), default=None)
    if best is None or best.ram is None:
        return Fitting(ctx, is_whole)
    return Fitting(ctx, is_whole, best.spec.name, best.ram.weights_bytes, best.slow)
