"""Continuous batching: each step decodes one token of every growing answer and, in the room that is left, pieces of new prompts.

Covered: admission as sequences finish, shared prefixes (prefixes.py), early stop with answers that come later, costs by the contract: the
wall time of a step is shared among its sequences by their tokens, a shared prefix equally among its users. Not covered: processes
(worker.py), llama.cpp (binding.py); a backend is whatever has its methods, so that tests bring their own.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from cpu_codegen.engine.entry import Entry
from cpu_codegen.engine.prefixes import Prefix, plan_prefixes
from cpu_codegen.engine.stream import AnswerStream
from cpu_codegen.schema import FinishReason, Generation, Request, Sampling

LOOK_AHEAD = 4  # how many requests per slot are looked at for one that can be admitted now
MIN_PREFILL_TOKENS = 64  # a step always has room for so much of a prompt, so that a wide run does not starve it


class Backend(Protocol):
    """What decodes: llama.cpp's context, or a stand-in."""

    batch_tokens: int

    def step(self, entries: Sequence[Entry]) -> None:
        """Decodes the entries."""

    def sample(self, sampler: Any, row: int) -> int:
        """The next token at a row of the last step."""

    def copy(self, source: int, target: int, length: int) -> None:
        """The first tokens of one sequence become another's."""

    def drop(self, sequence: int) -> None:
        """Forgets a sequence."""

    def piece(self, token: int) -> bytes:
        """A token's bytes."""

    def is_end(self, token: int) -> bool:
        """Whether the token ends the answer."""

    def make_sampler(self, sampling: Sampling, seed: int) -> Any:
        """A sampler of one sequence."""

    def free_sampler(self, sampler: Any) -> None:
        """Gives it back."""


@dataclass(frozen=True, slots=True)
class Started:
    """A request was admitted: from now on it is in flight."""

    key: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Is this code the complete answer? Decoding goes on until the reply comes."""

    key: str
    code: str
    entry_point: str


Event = Started | Ask | Generation
Replies = Callable[[bool], Sequence[tuple[str, bool]]]  # wait? → (key, complete) in the order of the asks of each key


@dataclass(slots=True, eq=False)
class _Job:
    """One request from tokens to generation."""

    request: Request
    prompt: list[int]
    limit: int
    prefix: Prefix | None
    stream: AnswerStream
    slot: int = -1
    sampler: Any = None
    past: int = 0  # tokens of the sequence in the cache
    copied: int = 0
    builds: list[Prefix] = field(default_factory=list)
    asked: deque[int] = field(default_factory=deque)
    reason: FinishReason | None = None
    cost_s: float = 0.0
    admitted_s: float = 0.0
    first_token_s: float | None = None
    ended_s: float = 0.0

    @property
    def is_prefilling(self) -> bool:
        return self.past < len(self.prompt)

    def next_token(self) -> int:
        return self.stream.tokens[-1]


class Scheduler:
    """Runs requests on a backend, `width` sequences at once. `sequences` ≥ width; those above hold shared prefixes."""

    def __init__(
        self,
        backend: Backend,
        *,
        width: int,
        sequences: int,
        ctx_tokens: int,
        shares_prefixes: bool = True,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.backend = backend
        self.width = width
        self.ctx_tokens = ctx_tokens
        self.shares_prefixes = shares_prefixes
        self.clock = clock
        self._slots = list(range(width))
        self._holders = list(range(width, sequences))
        self._active: list[_Job] = []
        self._waiting: dict[str, _Job] = {}  # asked, by key: active or ended
        self._began_s = 0.0
        self.prefilled_tokens = 0

    def run(self, requests: Sequence[Request], prompts: Sequence[list[int]], replies: Replies) -> Iterator[Event]:
        """Events until every request has its Generation."""
        self._began_s = self.clock()
        pending: deque[_Job] = deque()
        for job in self._jobs(requests, prompts):
            if job.limit < 1:
                yield self._generation(job, FinishReason.PROMPT_TOO_LONG)
            else:
                pending.append(job)
        while pending or self._active or self._waiting:
            for job in self._admit(pending):
                yield Started(job.request.key)
            yield from self._hear(replies(not self._active))
            if self._active:
                yield from self._step()

    def _jobs(self, requests: Sequence[Request], prompts: Sequence[list[int]]) -> Iterator[_Job]:
        fitting = [prompt if len(prompt) < self.ctx_tokens else [] for prompt in prompts]
        shares = plan_prefixes(fitting) if self.shares_prefixes else [None] * len(prompts)
        for request, prompt, prefix in zip(requests, prompts, shares, strict=True):
            limit = min(request.max_tokens, self.ctx_tokens - len(prompt)) if prompt else 0
            yield _Job(request, prompt, limit, prefix, AnswerStream(request.stop))

    # ── admission ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _admit(self, pending: deque[_Job]) -> list[_Job]:
        """Fills free slots with requests whose prefixes are here, or are nobody's work yet."""
        admitted: list[_Job] = []
        while self._slots and pending:
            job = next((j for j in list(pending)[: LOOK_AHEAD * self.width] if self._can_start(j)), None)
            if job is None:
                break
            pending.remove(job)
            self._start(job)
            admitted.append(job)
        return admitted

    def _can_start(self, job: _Job) -> bool:
        """Not while another slot decodes a prefix that this one would then have for nothing."""
        for node in job.prefix.path() if job.prefix else ():
            if node.source is not None:
                return True
            if node.builder is not None:
                return False
        return True

    def _start(self, job: _Job) -> None:
        job.slot = self._slots.pop(0)
        job.admitted_s = self.clock()
        job.sampler = self.backend.make_sampler(job.request.sampling, job.request.seed)
        path = job.prefix.path() if job.prefix else []
        for node in path:
            if node.source is not None:
                self.backend.copy(node.source, job.slot, node.length)
                job.past = job.copied = node.length
                break
            node.builder = job.slot
            job.builds.insert(0, node)
        for node in path:
            node.waiting -= 1
            self._let_go(node)
        self._active.append(job)

    def _let_go(self, node: Prefix) -> None:
        """A prefix that nobody waits for any more is forgotten."""
        if node.waiting == 0 and node.source is not None:
            self.backend.drop(node.source)
            self._holders.append(node.source)
            node.source = None

    # ── one step ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _step(self) -> Iterator[Event]:
        entries, shares = self._entries()
        began = self.clock()
        self.backend.step(entries)
        rows = [(row, entry) for row, entry in enumerate(entries) if entry.wants_logits]
        by_slot = {job.slot: job for job in self._active}
        drawn = [(by_slot[e.sequence], self.backend.sample(by_slot[e.sequence].sampler, row)) for row, e in rows]
        now = self.clock()
        per_token = (now - began) / len(entries)
        for job, count in shares:
            self._charge(job, count, per_token)
        for job, token in drawn:
            yield from self._grow(job, token, now)

    def _entries(self) -> tuple[list[Entry], list[tuple[_Job, int]]]:
        """Growing answers first, then prompts in the order of admission."""
        entries: list[Entry] = []
        shares: list[tuple[_Job, int]] = []
        growing = [job for job in self._active if not job.is_prefilling]
        room = self.backend.batch_tokens - (MIN_PREFILL_TOKENS if len(growing) < len(self._active) else 0)
        for job in growing[:room]:
            entries.append(Entry(job.slot, job.past, job.next_token(), True))
            shares.append((job, 1))
        for job in self._active:
            count = min(len(job.prompt) - job.past, self.backend.batch_tokens - len(entries))
            if job.is_prefilling and count > 0:
                last = len(job.prompt) - 1
                span = range(job.past, job.past + count)
                entries += [Entry(job.slot, place, job.prompt[place], place == last) for place in span]
                shares.append((job, count))
                self.prefilled_tokens += count
        return entries, shares

    def _charge(self, job: _Job, count: int, per_token: float) -> None:
        """Books a step's share: to the prefixes that the slot builds, the rest to itself; hands ready prefixes over."""
        start, end = job.past, job.past + count
        job.past = end
        for node in list(job.builds):
            part = max(0, min(end, node.length) - start)
            node.cost_s += part * per_token
            count, start = count - part, start + part
            if end >= node.length:
                job.builds.remove(node)
                node.builder = None
                self._hold(node, job.slot)
        job.cost_s += count * per_token

    def _hold(self, node: Prefix, slot: int) -> None:
        """Keeps a prefix for those that still wait; without a free sequence the next one decodes it anew."""
        if node.waiting and self._holders:
            node.source = self._holders.pop()
            self.backend.copy(slot, node.source, node.length)

    # ── growing and ending ───────────────────────────────────────────────────────────────────────────────────────────

    def _grow(self, job: _Job, token: int, now: float) -> Iterator[Event]:
        if job.first_token_s is None:
            job.first_token_s = now
        if self.backend.is_end(token):
            yield from self._end(job, FinishReason.EOS)
            return
        stream = job.stream
        stream.add(token, self.backend.piece(token))
        stop = stream.stop_at()
        if stop is not None:
            stream.cut(stop)
            yield from self._end(job, FinishReason.STOP_STRING)
            return
        if job.request.early_stop:
            yield from self._ask(job)
        if len(stream.tokens) >= job.limit:
            yield from self._end(job, FinishReason.LENGTH)
        elif job.request.early_stop and stream.loops():
            yield from self._end(job, FinishReason.LOOP)

    def _ask(self, job: _Job) -> Iterator[Event]:
        block = job.stream.new_block() if not job.request.is_completion else None
        if block is not None:
            code, end = block
            job.asked.append(end)
            self._waiting[job.request.key] = job
            yield Ask(job.request.key, code, job.request.entry_point)

    def _end(self, job: _Job, reason: FinishReason) -> Iterator[Event]:
        """Frees the slot; the generation waits for replies that are still out, so that it never depends on their time."""
        job.reason = reason
        job.stream.finish()
        self._release(job)
        if not job.asked:
            yield self._generation(job, reason)

    def _release(self, job: _Job) -> None:
        job.ended_s = self.clock()
        self._active.remove(job)
        self.backend.drop(job.slot)
        self.backend.free_sampler(job.sampler)
        self._slots.append(job.slot)

    def _hear(self, replies: Sequence[tuple[str, bool]]) -> Iterator[Event]:
        for key, complete in replies:
            job = self._waiting.get(key)
            if job is None:
                continue
            end = job.asked.popleft()
            if complete:
                job.asked.clear()
                job.stream.cut(end)
                if job.reason is None:
                    self._release(job)
                job.reason = FinishReason.ANSWER_COMPLETE
            if not job.asked:
                del self._waiting[key]
                if job.reason is not None:
                    yield self._generation(job, job.reason)

    def _generation(self, job: _Job, reason: FinishReason) -> Generation:
        prefix_cost = sum(node.cost_s / node.users for node in (job.prefix.path() if job.prefix else ()))
        admitted = job.admitted_s or self._began_s
        first = job.first_token_s
        reasoning = job.stream.reasoning_tokens()
        return Generation(
            key=job.request.key,
            text=job.stream.text,
            finish_reason=reason,
            prompt_tokens=len(job.prompt),
            shared_prefix_tokens=job.copied,
            completion_tokens=len(job.stream.tokens),
            queue_s=max(0.0, admitted - self._began_s),
            prefill_s=first - admitted if first is not None else 0.0,
            decode_s=job.ended_s - first if first is not None else 0.0,
            ttft_s=first - admitted if first is not None else None,
            cost_s=job.cost_s + prefix_cost if job.first_token_s is not None else 0.0,
            start_offset_s=max(0.0, admitted - self._began_s),
            width=self.width,
            reasoning_end="model" if 0 < reasoning < len(job.stream.tokens) else "none",
            reasoning_tokens=reasoning,
        )
