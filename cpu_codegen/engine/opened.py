"""A loaded model in the engine's process: turns requests into jobs, sizes a context for them, calibrates the width."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import asdict
from typing import Any

from cpu_codegen.engine import binding, meters
from cpu_codegen.engine.backend import EngineFailure, Guesser
from cpu_codegen.engine.context import AbortFlag, Context
from cpu_codegen.engine.events import Meters
from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.layout import MOST_SEQUENCES, PADDING, plan_layout
from cpu_codegen.engine.pace import Pace
from cpu_codegen.engine.prefixes import share
from cpu_codegen.engine.reasoning import Closing
from cpu_codegen.engine.scheduler import Scheduler
from cpu_codegen.engine.speculate import AHEAD, LOOKUP, Draft, Lookup, Paying, break_even
from cpu_codegen.schema import FinishReason, Generation, Request, Sampling, Thinking
from cpu_codegen.sizes import format_bytes

WIDTHS = (1, 2, 4, 8, 16, 24, 32, 48, 64)
CALIBRATION_S = 12.0
"""Leaves room for the last step begun within the 15 seconds."""

PACE_S = 2.0
"""For the steps that tell a deadline's speed; two steps are taken in any case."""

_PROMPT_TOKENS = 32
_STEPS = 6


class Opened:
    """`settings` are the parent's EngineSettings as a dictionary, with `threads` and `kv_room_bytes` filled in."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings
        self.abort = AbortFlag()
        binding.start_backend()
        self.model = binding.Model(settings["model_path"], mmap=settings["mmap"], mlock=settings["mlock"])
        self._energy = meters.energy_meter()
        self._drafting: Context | None = None
        self._tickets = itertools.count(1)

    def info(self) -> dict[str, Any]:
        """What the parent tells the world; calibrates when asked to."""
        began, rates = time.monotonic(), {}
        if self._settings["calibrate"]:
            rates = self.calibrate(self._settings["widest"])
        return {
            "build": binding.build_name(),
            "cpu_flags": binding.build_flags(),
            "model": self.model.description,
            "parameters": self.model.parameters,
            "memory_kind": self.model.memory_kind,
            "calibration": {str(width): rate for width, rate in rates.items()},
            "calibration_s": time.monotonic() - began,
            "energy": self._energy.label,
            "loading": self._loading(),
            "speculation": f"{self._settings['draft']}, where it pays" if self._can_guess else "off",
        }

    def _loading(self) -> str:
        """How the model's file is held."""
        words = "mapped" if self._settings["mmap"] else "read into memory"
        if not self._settings["mlock"]:
            return words
        locked = meters.locked_bytes()
        return f"{words}, {format_bytes(locked)} locked" if locked else f"{words}, not locked (its log says why)"

    def context(self, *, cells: int, sequences: int, outputs: int, streams: bool = False) -> Context:
        """A context on this model with the settings' threads and cache types."""
        return Context(
            self.model,
            cells=cells,
            sequences=sequences,
            outputs=outputs,
            threads=self._settings["threads"],
            kv_types=(self._settings["kv_type_k"], self._settings["kv_type_v"]),
            streams=streams,
            abort=self.abort,
        )

    # ── a run ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def prepare(
        self, requests: list[dict[str, Any]], *, width: int, within: dict[str, float] | None = None
    ) -> tuple[Scheduler, Context, list[Generation]]:
        """The scheduler with all jobs, its context, and the generations of prompts that are too long to begin.

        `within`: seconds left for all answers (`left_s`), and to keep for each (`each_s`); None = no limit.
        """
        received_s = time.perf_counter()
        jobs, refused = self._jobs([_request(fields) for fields in requests])
        width = max(1, min(width, len(jobs)))
        sharing = share([job.tokens for job in jobs])
        for job, chain in zip(jobs, sharing.chains, strict=True):
            job.chain = chain
        spare = AHEAD if width == 1 and self._can_guess else 0
        shortest, longest = self._settings["context_bounds"]
        layout = plan_layout(
            jobs,
            sharing.prefixes,
            width=width,
            cell_bytes=self._settings["kv_cell_bytes"],
            room_bytes=self._settings["kv_room_bytes"],
            most_sequences=MOST_SEQUENCES,
            has_state=self.model.memory_kind in ("recurrent", "hybrid"),
            state_bytes=self._settings["state_bytes"],
            spare=spare,
            bounds=(shortest, longest),
        )
        context = self.context(
            cells=layout.cells, sequences=layout.sequences, outputs=width + spare, streams=layout.streams
        )
        try:
            scheduler = Scheduler(
                context,
                width=width,
                cells=layout.bookable,
                holders=layout.holders,
                streams=layout.streams,
                tickets=self._tickets,
                meters=self._meters(),
                guesser=self._guesser(context) if width == 1 else None,
                pace=self._pace(width, within, received_s) if within is not None and jobs else None,
            )
        except BaseException:  # the steps that they take may be aborted
            context.close()
            raise
        scheduler.submit(jobs)
        return scheduler, context, refused

    def _jobs(self, requests: list[Request]) -> tuple[list[Job], list[Generation]]:
        jobs: list[Job] = []
        refused: list[Generation] = []
        for request in requests:
            tokens = self.model.tokenize(request.text, add_special=request.add_special)
            closing = self._closing(request.thinking) if request.thinking is not None else None
            room = self._settings["ctx_tokens"] - len(tokens)
            wanted = request.max_tokens + (closing.most_tokens if closing is not None else 0)
            if room >= (1 if closing is None else wanted):
                jobs.append(Job(request, tokens, min(wanted, room), closing=closing))
                continue
            beside = f", reasoning and answer may take {wanted} more" if closing is not None else ""
            why = f"the prompt has {len(tokens)} tokens{beside}, the context {self._settings['ctx_tokens']}"
            refused.append(
                Generation(request.key, "", FinishReason.PROMPT_TOO_LONG, prompt_tokens=len(tokens), error=why)
            )
        return jobs, refused

    def _closing(self, thinking: Thinking) -> Closing:
        def tokens(text: str) -> list[int]:
            return self.model.tokenize(text, add_special=False) if text else []

        return Closing(thinking, tuple(tokens(thinking.sequence)), len(tokens(thinking.opening)))

    def _pace(self, width: int, within: dict[str, float], received_s: float) -> Pace:
        """A few steps at this width tell how long an answer will take; the scheduler keeps the figure up to date."""
        context = self.context(cells=width * PADDING, sequences=width, outputs=width, streams=width > 1)
        sampler = context.new_sampler(Sampling(), 0)
        try:
            step_s = width / self._rate(context, sampler, width, PACE_S)
        finally:
            context.free_sampler(sampler)
            context.close()
        return Pace(received_s + within["left_s"], step_s, each_s=within["each_s"])

    def _meters(self) -> Meters:
        return Meters(peak_rss=meters.peak_rss_bytes, joules=self._energy.joules)

    # ── guessing ahead ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _can_guess(self) -> bool:
        """Recurrent state cannot forget a wrong guess."""
        return self._settings["draft"] is not None and self.model.memory_kind in ("attention", "swa")

    def _guesser(self, context: Context) -> Guesser | None:
        """The asked-for guesser, if the cost of a step with guesses leaves anything to gain."""
        if not self._can_guess:
            return None
        draft_context = self._draft_context()
        guesser: Guesser = Lookup() if draft_context is None else Draft(draft_context)
        guess_s = 0.0
        if draft_context is not None:
            began = time.perf_counter()
            guesser.guess(range(3, 35), [35], AHEAD)
            began, _ = time.perf_counter(), guesser.guess(range(3, 35), [35], AHEAD)
            guess_s = time.perf_counter() - began
        return Paying(guesser, break_even(context, guess_s=guess_s))

    def _draft_context(self) -> Context | None:
        """The draft model's own context, empty; None for lookup. Made once: a run may be followed by others."""
        if self._settings["draft"] == LOOKUP:
            return None
        if self._drafting is None:
            draft = binding.Model(self._settings["draft"])
            if draft.vocabulary != self.model.vocabulary or draft.memory_kind not in ("attention", "swa"):
                raise EngineFailure("the draft model has another vocabulary, or recurrent state")
            cells, threads = self._settings["ctx_tokens"] + AHEAD, self._settings["threads"]
            self._drafting = Context(draft, cells=cells, sequences=1, outputs=1, threads=threads, abort=self.abort)
        self._drafting.clear()
        return self._drafting

    # ── calibration ──────────────────────────────────────────────────────────────────────────────────────────────────

    def calibrate(self, widest: int) -> dict[int, float]:
        """Decoded tokens per second by width, within CALIBRATION_S; the widths that time allowed."""
        deadline = time.monotonic() + CALIBRATION_S
        widths = [width for width in WIDTHS if width <= widest]
        top = widths[-1]
        context = self.context(cells=top * PADDING, sequences=top, outputs=top, streams=top > 1)
        sampler = context.new_sampler(Sampling(), 0)
        rates: dict[int, float] = {}
        try:
            for width in widths:
                left = deadline - time.monotonic()
                last = max(rates.items(), default=None)
                if last is not None and left < 3 * width / last[1]:
                    break  # not even a prefill and two steps fit
                rates[width] = self._rate(context, sampler, width, left / 3)
        finally:
            context.free_sampler(sampler)
            context.close()
        return rates

    def _rate(self, context: Context, sampler: Any, width: int, budget_s: float) -> float:
        """The median step of `width` sequences, the first one left out as warm-up."""
        context.clear()
        prompt = [(7 * i + 3) % self.model.vocabulary for i in range(_PROMPT_TOKENS)]
        context.decode(prompt, range(_PROMPT_TOKENS), [0] * _PROMPT_TOKENS, [0] * _PROMPT_TOKENS)
        for sequence in range(1, width):
            context.copy(0, sequence)
        tokens, times = list(range(3, 3 + width)), []
        deadline = time.monotonic() + budget_s
        for step in range(_STEPS):
            began = time.perf_counter()
            position = _PROMPT_TOKENS + step
            context.decode([t % self.model.vocabulary for t in tokens], [position] * width, range(width), [1] * width)
            tokens = [context.sample(sampler, index) for index in range(width)]
            times.append(time.perf_counter() - began)
            if time.monotonic() > deadline and len(times) >= 2:
                break
        return width / statistics.median(times[1:])

    def measure(self, message: dict[str, Any]) -> dict[str, Any]:
        """One measurement for `bench`."""
        from cpu_codegen.engine.timing import measure

        return measure(self, message)

    def energy_joules(self) -> float | None:
        """Joules since the start; None without a counter."""
        return self._energy.joules() if self._energy.joules is not None else None

    def memory(self) -> dict[str, Any]:
        """This process's memory now."""
        return asdict(meters.memory())


def _request(fields: dict[str, Any]) -> Request:
    fields = dict(fields)
    fields["sampling"] = Sampling(**fields["sampling"])
    fields["stop"] = tuple(fields["stop"])
    fields["thinking"] = Thinking(**fields["thinking"]) if fields.get("thinking") else None
    return Request(**fields)
