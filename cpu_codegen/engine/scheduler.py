"""Continuous batching: which tokens go into the next step, who pays for it, who is done. Pure; a Backend does the work.

Every step holds one token of each decoding sample and, in what is left of the batch, pieces of prompts, so that neither starves.
Samples enter in their order as others end (admission.py); shared prefixes are decoded once (prefixes.py). The wall time of
each step is shared among its tokens' owners, so the costs of all samples add up to the busy time.
"""

from __future__ import annotations

import itertools
from bisect import insort
from collections.abc import Iterable, Iterator, Sequence

from cpu_codegen.engine.admission import Admission
from cpu_codegen.engine.backend import Backend, EngineFailure, Guesser
from cpu_codegen.engine.events import Asked, Event, Meters, Started, Totals
from cpu_codegen.engine.lane import Job, Lane, generation_of
from cpu_codegen.engine.loops import LOOP_EVERY, goes_round
from cpu_codegen.engine.pace import Pace
from cpu_codegen.engine.step import Step, next_step, share_cost
from cpu_codegen.engine.watch import FenceWatch, Question, first_stop
from cpu_codegen.schema import FinishReason


class Scheduler:
    """Runs jobs on a backend. `chunk_tokens` bounds the prompt tokens of a step in which others decode.

    `cells` is what may be booked of the KV cache; `streams` says that each sequence has its own part of it (layout.py). `tickets`
    number the questions: one row for all runs of a process, so that a late answer to an earlier run's question finds nobody.

    Most tokens are plain: no part of a fence. Until something is due (a look for loops, the answer's longest, the end of a line
    that begins like a fence) they are only written down, which keeps the Python of a step short. Where every token may matter (stop
    strings, reasoning) all are looked at.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        width: int,
        cells: int,
        holders: int = 0,
        streams: bool = False,
        chunk_tokens: int = 256,
        tickets: Iterator[int] | None = None,
        meters: Meters | None = None,
        guesser: Guesser | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.totals = Totals()
        self._backend = backend
        self._width = width
        self._chunk = chunk_tokens
        self._streams = streams
        self._meters = meters or Meters()
        self._guesser = guesser
        self._clock = self._meters.clock
        self._pace = pace
        self._admission = Admission(backend, width=width, cells=cells, holders=holders, clock=self._clock, pace=pace)
        self._lanes: list[Lane] = []
        self._asked: dict[int, tuple[Lane, Question]] = {}
        self._tickets = tickets or itertools.count(1)
        self._plain: set[int] = set()
        self._even: Step | None = None
        self._events: list[Event] = []
        self._began_s = self._clock()
        self._mark_s: float | None = None
        self._mark_j = 0.0

    def submit(self, jobs: Iterable[Job]) -> None:
        """Appends jobs; their prefixes belong to them alone."""
        self._admission.submit(jobs)

    @property
    def is_done(self) -> bool:
        """True when every job has its generation."""
        return not (self._admission.queue or self._lanes or self._asked)

    @property
    def is_waiting(self) -> bool:
        """True when nothing is left but answers to questions."""
        return not (self._admission.queue or self._lanes) and bool(self._asked)

    @property
    def open(self) -> tuple[int, int]:
        """Samples that are being answered, and the tokens that they have written so far."""
        return len(self._lanes), sum(len(lane.written) for lane in self._lanes)

    def step(self) -> list[Event]:
        """Admits, decodes one batch, samples, ends what is complete. Returns what happened since the last step."""
        if self._mark_s is None:
            self._mark_s = self._clock()
            self._mark_j = self._meters.joules() if self._meters.joules else 0.0
        for lane in self._admission.admit():
            insort(self._lanes, lane, key=lambda one: one.sequence)
            self._even = None
            self._events.append(Started(lane.job.request.key))
        if self._streams and self._admission.close_ranks(self._lanes):
            self._even = None
        step = self._next_step()
        if step.tokens:
            self._backend.decode(step.tokens, step.positions, step.sequences, step.outputs)
            self.totals.prompt_tokens += step.prompt_tokens
            self._after_decode(step)
        elif self._admission.queue:
            raise EngineFailure("no room in the KV cache for the next prompt")
        return self._take_events()

    def answer(self, ticket: int, *, complete: bool) -> list[Event]:
        """The parser's answer to a question. The kept text ends at the block, whenever the answer comes."""
        lane, question = self._asked.pop(ticket, (None, None))
        if lane is None or question is None:
            return []
        lane.open_questions -= 1
        if complete and lane.complete is None:
            lane.complete = question
            if lane.cut is None:
                lane.end(FinishReason.ANSWER_COMPLETE)
                self._leave(lane)
        if lane.cut is not None and (lane.complete is not None or lane.open_questions == 0):
            self._finish(lane)
        if not (self._admission.queue or self._lanes):
            self._mark_s = None
        return self._take_events()

    def give_up_waiting(self) -> list[Event]:
        """No answer = do not stop: all samples that wait for one end as they ended."""
        for lane in {id(lane): lane for lane, _ in self._asked.values() if lane.cut is not None}.values():
            self._finish(lane)
        return self._take_events()

    # ── one step ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _next_step(self) -> Step:
        """The last one once more, as long as all decode and nobody comes or goes."""
        if self._even is not None and not self._admission.filling:
            return self._even.again()
        return next_step(
            self._lanes,
            self._admission.filling,
            batch_tokens=self._backend.batch_tokens,
            chunk_tokens=self._chunk,
            guess=self._guess if self._guesser is not None else None,
        )

    def _after_decode(self, step: Step) -> None:
        looked_at = self._draw(step)
        now = self._clock()
        self._charge(now, step)
        for prefix, part in step.filled:
            prefix.done += part
            self.totals.prefix_tokens += part
            if prefix.ready:
                self._admission.filling.remove(prefix)
                prefix.wall_s = now - prefix.began_s
        self._even = step if step.is_even else None
        for lane in looked_at:
            if lane.first_token_s is None:
                lane.first_token_s = now
            if not lane.is_decoding:
                self._even = None
            if lane.cut is not None:
                self._leave(lane)
                if not lane.open_questions:
                    self._finish(lane)

    def _draw(self, step: Step) -> list[Lane]:
        """The next token of every lane that has one; the lanes whose token was more than plain text."""
        sample, plain, tokens, looked_at = self._backend.sample, self._plain, step.tokens, []
        for lane, index, guessed in step.sampling:
            if guessed:
                self._accept_guessed(lane, index, guessed)
            else:
                token, written = sample(lane.sampler, index), lane.written
                tokens[index] = token
                if token in plain and len(written) < lane.quiet_until:
                    written.append(token)
                    continue
                self._accept(lane, token)
            looked_at.append(lane)
        self.totals.answer_tokens += len(step.sampling) - len(looked_at)
        return looked_at

    def _charge(self, now: float, step: Step) -> None:
        """Shares the time (and energy) since the last mark by tokens."""
        seconds = now - (self._mark_s if self._mark_s is not None else now)
        joules = self._meters.joules() - self._mark_j if self._meters.joules else 0.0
        self._mark_s = now
        self._mark_j += joules
        self.totals.busy_s += seconds
        self.totals.steps += 1
        if self._pace is not None:
            decoding = len(step.sampling)
            self._pace.saw(seconds, decoding=decoding, prompt_tokens=len(step.tokens) - decoding)
        share_cost(step, self._lanes, seconds=seconds, joules=joules)

    # ── one token ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _accept(self, lane: Lane, token: int) -> None:
        """One more token: end of answer, stop string, closed block, loop, or just more text."""
        if token in self._backend.ends:
            lane.end(FinishReason.EOS)
            return
        written, request = lane.written, lane.job.request
        written.append(token)
        self.totals.answer_tokens += 1
        new = lane.read()
        if request.stop and (at := first_stop(lane.text.text, len(new), request.stop)) is not None:
            lane.end(FinishReason.STOP_STRING, text=at)
            return
        if "\n" in new and lane.watch is not None:
            self._ask(lane, lane.watch)
        count = len(written)
        is_loop = count % LOOP_EVERY == 0 and request.loop_stop and goes_round(written)
        if lane.reasoning is not None and lane.follow_reasoning(len(new), is_loop=is_loop):
            return
        if count >= lane.limit:
            lane.end(FinishReason.LENGTH)
        elif is_loop:
            lane.end(FinishReason.LOOP)
        elif not request.stop and not lane.is_reasoning:
            self._let_be(lane, token)

    def _let_be(self, lane: Lane, token: int) -> None:
        """How many tokens of this lane may be written before one has to be looked at, as far as they are plain."""
        is_on_fence = lane.watch is not None and lane.watch.is_on_fence(lane.text.text)
        next_look = 0 if is_on_fence else min(lane.limit, (len(lane.written) // LOOP_EVERY + 1) * LOOP_EVERY)
        lane.quiet_until = next_look - 1
        piece = self._backend.piece(token)
        if b"`" not in piece and b"~" not in piece:
            self._plain.add(token)

    def _ask(self, lane: Lane, watch: FenceWatch) -> None:
        question = watch.closed_block(lane.text.text, len(lane.written))
        if question is not None:
            ticket = next(self._tickets)
            self._asked[ticket] = (lane, question)
            lane.open_questions += 1
            self._events.append(Asked(ticket, lane.job.request.entry_point, question))

    def _guess(self, lane: Lane) -> list[int]:
        limit = lane.limit - len(lane.written) - 1
        if self._guesser is None or limit <= 0 or lane.job.request.sampling.temperature > 0:
            return []
        return self._guesser.guess(lane.job.tokens, lane.written, limit)

    def _accept_guessed(self, lane: Lane, index: int, guessed: Sequence[int]) -> None:
        """Takes the model's own tokens as long as the guesses agree with them; forgets the state of the rest."""
        decoded_to, right_before = lane.position + len(guessed), self.totals.guessed_right
        self.totals.guessed_tokens += len(guessed)
        for offset in range(len(guessed) + 1):
            token = self._backend.sample(lane.sampler, index + offset)
            self._accept(lane, token)
            if not lane.is_decoding or lane.cut is not None or offset == len(guessed) or token != guessed[offset]:
                break
            self.totals.guessed_right += 1
        if self._guesser is not None:
            self._guesser.learn(self.totals.guessed_right - right_before, len(guessed))
        if lane.cut is None and lane.state_ends <= decoded_to:
            self._backend.trim(lane.sequence, lane.state_ends)

    # ── endings ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _leave(self, lane: Lane) -> None:
        lane.ended_s = self._clock()
        self._even = None
        self._lanes.remove(lane)
        self._admission.leave(lane)

    def _finish(self, lane: Lane) -> None:
        for ticket in [t for t, (asked, _) in self._asked.items() if asked is lane]:
            del self._asked[ticket]
        peak, has_energy = self._meters.peak_rss(), self._meters.joules is not None
        generation = generation_of(
            lane, began_s=self._began_s, width=self._width, peak_rss_bytes=peak, energy=has_energy
        )
        self._events.append(generation)

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events
