"""What the scheduler tells while it runs, what it counts, and what it reads of the world."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from cpu_codegen.engine.watch import Question
from cpu_codegen.schema import FinishReason, Generation


@dataclass(frozen=True, slots=True)
class Started:
    """A sample's first tokens go into the next step: if the engine dies now, it is a suspect."""

    key: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question to the parent's parser: does this block complete the sample? Answer with `Scheduler.answer(ticket, …)`."""

    ticket: int
    entry_point: str
    question: Question


Event = Started | Asked | Generation


@dataclass(slots=True)
class Totals:
    """Counts of one run: tokens of prompts, of shared prefixes (decoded once), of answers; guesses; steps; busy seconds."""

    prompt_tokens: int = 0
    prefix_tokens: int = 0
    answer_tokens: int = 0
    guessed_tokens: int = 0
    guessed_right: int = 0
    steps: int = 0
    busy_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Meters:
    """The clock, the process's largest memory, the energy so far (None = no counter)."""

    clock: Callable[[], float] = time.perf_counter
    peak_rss: Callable[[], int | None] = lambda: None
    joules: Callable[[], float] | None = None


def read_generation(fields: dict[str, Any], offset_s: float) -> Generation:
    """A generation out of its frame. A process that was started later counts from `offset_s` after the run's first request."""
    generation = Generation(**{**fields, "finish_reason": FinishReason(fields["finish_reason"])})
    if offset_s < 0.01:
        return generation
    return replace(
        generation,
        queue_s=generation.queue_s + offset_s,
        start_offset_s=generation.start_offset_s + offset_s,
    )
