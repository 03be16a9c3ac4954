"""Tokens per second of a shape on a calibrated machine.

Formula: a step of n tokens takes Σ over tensor types (weights used × seconds per weight at n) + layers × the cost of a layer
itself + n × the positions behind them × the values of a token's queries × the cost of attention for one such value. (On a CPU
attention is arithmetic: query heads that share a KV head read it each for themselves.) Of a mixture of experts a step of n tokens
touches the part 1 − (1 − share)ⁿ of the experts' weights; the head is computed for tokens with output only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cpu_codegen.gguf_types import TYPES_BY_NAME
from cpu_codegen.plan.calibration import Calibration, TypeCost
from cpu_codegen.plan.shape import Shape, Weights
from cpu_codegen.stats import Interval

WIDTHS = (1, 4, 8, 16)
PREFILL_TOKENS = 512

# Half-widths as shares: of the formula itself, by what the shape is known from. Of 24 rates that scripts/bench_plan.py measured for
# shapes from headers, 20 lay within 0.10 and the calibration's spread, the others at 1.13 to 1.20 times the estimate.
# What has no header is judgement.
_UNSURE = {"header": 0.15, "geometry": 0.20, "size": 0.40}
_UNUSUAL = 0.30
_BORROWED = 0.15
_PER_BUSY_CORE = 2.0
"""Beside one busy core two threads were measured many times slower (busy.py): the interval admits three times."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Tokens per second."""

    value: float
    interval: Interval


def decode_rate(shape: Shape, machine: Calibration, *, width: int = 1, depth: int = 512) -> Rate:
    """All streams together; per stream it is a `width`-th."""
    return _rate(
        shape, machine, tokens=width, step_s=step_seconds(shape, machine, tokens=width, outputs=width, depth=depth)
    )


def prefill_rate(shape: Shape, machine: Calibration, *, tokens: int = PREFILL_TOKENS) -> Rate:
    """A prompt of `tokens`, the head computed once."""
    step = step_seconds(shape, machine, tokens=tokens, outputs=1, depth=tokens // 2)
    return _rate(shape, machine, tokens=tokens, step_s=step)


def best_width(shape: Shape, machine: Calibration, *, widest: int) -> tuple[int, Rate]:
    """The width with the highest rate of those that memory allows."""
    rates = {width: decode_rate(shape, machine, width=width) for width in WIDTHS if width <= max(widest, 1)}
    width = max(rates, key=lambda w: rates[w].value)
    return width, rates[width]


def step_seconds(shape: Shape, machine: Calibration, *, tokens: int, outputs: int, depth: int) -> float:
    """One step of llama_decode."""
    weights = sum(_seconds(part, shape, machine, tokens=tokens, outputs=outputs) for part in shape.weights)
    together = 1 if outputs == tokens else tokens  # streams attend each to its own context, as single tokens do
    attention = tokens * depth * shape.query_values * machine.attention_at(together)
    return weights + shape.layers * machine.layer_s + attention


def _seconds(part: Weights, shape: Shape, machine: Calibration, *, tokens: int, outputs: int) -> float:
    if part.use == "embedding":
        return 0.0
    cost, _ = machine.cost(part.type)
    if part.use == "head":
        return part.values * cost.at(outputs)
    if part.use == "layer":
        return part.values * cost.at(tokens)
    touched = 1 - (1 - shape.experts_share) ** tokens
    each = max(1, round(tokens * shape.experts_share / touched))
    return part.values * touched * cost.at(each)


def _rate(shape: Shape, machine: Calibration, *, tokens: int, step_s: float) -> Rate:
    value = tokens / step_s
    share = unsure(shape, machine)
    return Rate(value, Interval(value / (1 + share), value * (1 + share) * _alone(machine)))


def _alone(machine: Calibration) -> float:
    """How many times faster it may be without the other programs that had a part of the cores while it was calibrated."""
    if not machine.is_crowded:
        return 1.0
    return 1.0 + machine.busy_cores * _PER_BUSY_CORE


def unsure(shape: Shape, machine: Calibration) -> float:
    """The half-width of an estimate as a share: what the shape is known from, and the calibration's own spread."""
    share = _UNSURE[shape.basis] + (_UNUSUAL if shape.is_unusual and shape.basis != "size" else 0.0)
    costs = [machine.cost(kind) for kind in shape.types]
    spread = max((cost.spread for cost, _ in costs), default=0.0)
    borrowed = _BORROWED if not all(own for _, own in costs) else 0.0
    return share + borrowed + min(spread, 0.5) / 2 + (0.2 if machine.source != "measured" else 0.0)


def as_if(machine: Calibration, *, cores: int | None, bandwidth_bytes_s: float | None) -> Calibration:
    """The same machine with other cores or memory: arithmetic scales with cores, reading weights with bandwidth.

    A batch of one is bound by whichever is slower; larger batches by arithmetic.
    """
    scale = machine.threads / cores if cores else 1.0
    ours = machine.bandwidth_bytes_s
    types: dict[str, TypeCost] = {}
    for kind, cost in machine.types.items():
        bytes_each = TYPES_BY_NAME[kind].bits_per_value / 8
        reading = bytes_each / (bandwidth_bytes_s or ours or 1.0)
        arithmetic = cost.at(max(cost.seconds)) / max(cost.seconds) * scale
        seconds = {}
        for n, measured in cost.seconds.items():
            extra = max(measured - bytes_each / (ours or 1.0), 0.0) * scale if n == 1 else measured * scale
            seconds[n] = max(reading, arithmetic * n, extra)
        types[kind] = replace(cost, seconds=seconds)
    attention_s = {n: seconds * scale for n, seconds in machine.attention_s.items()}
    return replace(machine, types=types, threads=cores or machine.threads, attention_s=attention_s, source="as if")
