"""Specs + machine + calibration → one Plan each: disk, RAM, speed, time, verdict, and what to take instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cpu_codegen.config import DEFAULT_CTX, DEFAULT_MAX_TOKENS, MIN_SPEED_TOKENS_S
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.calibration import Calibration
from cpu_codegen.plan.measured import Measured
from cpu_codegen.plan.memory import Ram, ram
from cpu_codegen.plan.shape import Shape
from cpu_codegen.plan.speed import WIDTHS, Rate, best_width, decode_rate, prefill_rate
from cpu_codegen.plan.work import Work
from cpu_codegen.sizes import format_bytes
from cpu_codegen.stats import Interval

Verdict = Literal["fits", "tight", "too_big", "unknown"]
SHOWN = {"fits": "fits", "tight": "tight", "too_big": "does not fit", "unknown": "unknown"}
COMFORT = 0.9
"""Of the free memory; above it a model is `tight`."""


@dataclass(frozen=True, slots=True)
class Room:
    """What the machine offers. None = unknown."""

    ram_bytes: int | None
    disk_bytes: int | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One model. `ram` is that of one stream at `ctx_tokens`; `run_s` is at `width`. None = cannot be told, see `reason`.

    `slow_in_company`: slow by a calibration that other programs disturbed, and perhaps not on a quiet machine.

    Of models that can reason: `reasons` says whether they do, `reasoning_run_s` and `plain_run_s` are estimates with and without,
    whatever `run_s` is of.
    """

    spec: ModelSpec
    is_here: bool
    verdict: Verdict
    reason: str
    basis: str
    ctx_tokens: int
    ram: Ram | None = None
    prefill: Rate | None = None
    decode: Rate | None = None
    width: int = 1
    throughput: Rate | None = None
    answers: int = 0
    run_s: float | None = None
    run_interval: Interval | None = None
    reasons: bool = False
    reasoning_run_s: float | None = None
    plain_run_s: float | None = None
    measured: Measured | None = None
    slow: bool = False
    slow_in_company: bool = False
    nearest: str = ""

    @property
    def is_usable(self) -> bool:
        """It fits, and an answer comes before one loses patience."""
        return self.verdict in ("fits", "tight") and not self.slow

    @property
    def speed(self) -> float | None:
        """Tokens per second of one stream: measured where a run tells, else estimated."""
        if self.measured is not None and self.measured.width == 1:
            return self.measured.decode_tokens_s
        return self.decode.value if self.decode else None


def make_plan(
    spec: ModelSpec,
    shape: Shape | None,
    machine: Calibration | None,
    room: Room,
    todo: Work,
    *,
    is_here: bool = False,
    ctx_tokens: int | None = None,
    min_speed: float = MIN_SPEED_TOKENS_S,
    measured: Measured | None = None,
) -> Plan:
    """The plan of one model, without what to take instead."""
    trained = (shape.context if shape else None) or spec.context or DEFAULT_CTX
    ctx = ctx_tokens or min(trained, max(DEFAULT_CTX, todo.context_tokens))
    if shape is None:
        return Plan(spec, is_here, "unknown", "neither size nor shape is known; the hub's header tells", "", ctx)
    repacked = machine.repacked_types if machine else frozenset()
    need = ram(shape, cells=ctx, width=1, repacked_types=repacked)
    verdict, reason = _verdict(need, room, 0 if is_here else shape.weight_bytes)
    plan = Plan(spec, is_here, verdict, reason, _basis(shape, machine), ctx, ram=need, measured=measured)
    if (
        machine is None or not machine.types or not shape.types
    ):  # a file may hold a vocabulary and nothing to multiply by
        return plan
    widest = max((w for w in WIDTHS if _fits_at(shape, room, w)), default=1)
    width, throughput = best_width(shape, machine, widest=widest)
    decode = decode_rate(shape, machine)
    plan = replace(
        plan,
        prefill=prefill_rate(shape, machine),
        decode=decode,
        width=width,
        throughput=throughput,
        answers=todo.answers,
    )
    seconds, interval = run_time(plan, todo)
    plan = _both_ways(plan, todo)
    slow = (plan.speed or decode.value) < min_speed
    in_company = slow and machine.is_crowded and plan.speed == decode.value and decode.interval.high >= min_speed
    return replace(plan, run_s=seconds, run_interval=interval, slow=slow, slow_in_company=in_company)


def _fits_at(shape: Shape, room: Room, width: int) -> bool:
    cells = width * (400 + DEFAULT_MAX_TOKENS)
    return room.ram_bytes is None or ram(shape, cells=cells, width=width).needed_bytes <= COMFORT * room.ram_bytes


def _both_ways(plan: Plan, todo: Work) -> Plan:
    """The hours with and without reasoning; a measured run tells of one way only, so both are estimates."""
    if todo.otherwise is None:
        return plan
    unmeasured = replace(plan, measured=None)
    ways = {one.reasons: run_time(unmeasured, one)[0] for one in (todo, todo.otherwise)}
    return replace(plan, reasons=todo.reasons, reasoning_run_s=ways[True], plain_run_s=ways[False])


def run_time(plan: Plan, todo: Work) -> tuple[float, Interval]:
    """Seconds for all answers: prompts once, answers at the best width; measured seconds per answer replace both."""
    if plan.measured is not None:
        value = plan.measured.seconds_per_answer * todo.answers
        return value, Interval(0.85 * value, 1.2 * value)
    assert plan.prefill is not None
    assert plan.throughput is not None
    value = todo.prompt_tokens / plan.prefill.value + todo.answer_tokens / plan.throughput.value
    low = todo.prompt_tokens / plan.prefill.interval.high + todo.interval.low / plan.throughput.interval.high
    high = todo.prompt_tokens / plan.prefill.interval.low + todo.interval.high / plan.throughput.interval.low
    return value, Interval(low, high)


def _verdict(need: Ram, room: Room, download_bytes: int) -> tuple[Verdict, str]:
    if room.disk_bytes is not None and download_bytes > room.disk_bytes:
        return "too_big", f"disk {format_bytes(download_bytes)} of {format_bytes(room.disk_bytes)}"
    if room.ram_bytes is None:
        return "unknown", "free memory is unknown here"
    words = f"RAM {format_bytes(need.needed_bytes)} of {format_bytes(room.ram_bytes)}"
    if need.interval.high <= COMFORT * room.ram_bytes:
        return "fits", ""
    return ("tight", words) if need.needed_bytes <= room.ram_bytes else ("too_big", words)


def _basis(shape: Shape, machine: Calibration | None) -> str:
    words = {"header": "the file's own header", "geometry": "models.yaml's shape", "size": "the file's length alone"}
    if machine is None:
        return words[shape.basis]
    borrowed = sorted(kind for kind in shape.types if not machine.cost(kind)[1]) if machine.types else []
    return words[shape.basis] + (f"; not timed: {', '.join(borrowed)}" if borrowed else "")


def with_nearest(plans: Sequence[Plan]) -> list[Plan]:
    """Each plan that is not usable names the largest usable model that is smaller, of its own family first."""
    usable = sorted((plan for plan in plans if plan.is_usable), key=weight)
    return [plan if plan.is_usable else replace(plan, nearest=_nearest(plan, usable)) for plan in plans]


def _nearest(plan: Plan, usable: Sequence[Plan]) -> str:
    smaller = [other for other in usable if weight(other) < weight(plan) or plan.verdict == "unknown"]
    family = [other for other in smaller if other.spec.family and other.spec.family == plan.spec.family]
    choice = family or smaller
    return choice[-1].spec.name if choice else ""


def weight(plan: Plan) -> float:
    """By what it needs; unknown is heaviest."""
    return float(plan.ram.weights_bytes) if plan.ram else float("inf")


def measured_of(spec: ModelSpec, runs: Mapping[str, Measured]) -> Measured | None:
    """By digest, else by name."""
    by_digest = runs.get(spec.sha256s[0]) if len(spec.sha256s) == 1 else None
    return by_digest or runs.get(spec.name)
