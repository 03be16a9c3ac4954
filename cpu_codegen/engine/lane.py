"""One sample on its way: what is asked, what was written so far, what it cost, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.engine.prefixes import Prefix
from cpu_codegen.engine.reasoning import Closing, ReasoningWatch
from cpu_codegen.engine.watch import FenceWatch, Question, Text, reasoning_of
from cpu_codegen.schema import FinishReason, Generation, ReasoningEnd, Request


@dataclass(slots=True)
class Job:
    """A request with its prompt's tokens. `limit` is the most tokens that may follow them: reasoning, its closing, answer."""

    request: Request
    tokens: list[int]
    limit: int
    chain: tuple[Prefix, ...] = ()
    closing: Closing | None = None

    @property
    def shared(self) -> int:
        """Prompt tokens that come from prefixes."""
        return self.chain[-1].end if self.chain else 0

    @property
    def cells(self) -> int:
        """Places in the KV cache that it may come to need beside its prefixes."""
        return len(self.tokens) - self.shared + self.limit


@dataclass(slots=True)
class Cut:
    """Where and why an answer ends: `text` characters and `tokens` tokens are kept."""

    reason: FinishReason
    text: int
    tokens: int


@dataclass(eq=False, slots=True)
class Lane:
    """A job with a sequence: `fed` of the tokens in `feed` are in the state (all: `is_decoding`), `written` are the answer's.

    `feed` is the prompt; later perhaps the answer's last token and a closing sequence, from position `feed_at` on. `text` holds the
    first `read_to` of the written tokens; up to `quiet_until` of them, plain ones (Scheduler) need not be looked at one by one.
    """

    job: Job
    sequence: int
    sampler: Any
    started_s: float
    fed: int
    piece: Callable[[int], bytes]
    text: Text = field(default_factory=Text)
    watch: FenceWatch | None = None
    written: list[int] = field(default_factory=list)
    read_to: int = 0
    quiet_until: int = 0
    first_token_s: float | None = None
    ended_s: float = 0.0
    cost_s: float = 0.0
    energy_j: float = 0.0
    tokens_in_step: int = 0
    is_decoding: bool = False
    open_questions: int = 0
    cut: Cut | None = None
    complete: Question | None = None
    feed_at: int = 0
    prompt_end: int = field(init=False)
    feed: list[int] = field(init=False)
    limit: int = field(init=False)
    reasoning: ReasoningWatch | None = None

    def __post_init__(self) -> None:
        job, request = self.job, self.job.request
        self.prompt_end, self.feed, self.limit = len(job.tokens) - 1, job.tokens, job.limit
        if job.closing is not None:
            self.reasoning = ReasoningWatch(job.closing, prompt=request.text, max_tokens=request.max_tokens)
            self.limit = self.reasoning.limit

    @property
    def position(self) -> int:
        """Where the next token goes: behind the prompt and all written tokens but the last, which is that token."""
        return self.prompt_end + len(self.written)

    @property
    def state_ends(self) -> int:
        """The position up to which the state holds what was chosen, without guesses behind it."""
        return self.position if self.is_decoding else self.feed_at

    @property
    def is_reasoning(self) -> bool:
        """True while every token may begin, end or use up the reasoning."""
        return self.reasoning is not None and self.reasoning.state != "after"

    def read(self) -> str:
        """Takes what was written since the last time into the text; returns what became whole with it."""
        written, piece, start = self.written, self.piece, self.read_to
        self.read_to = len(written)
        if start + 1 == len(written):  # where every token is looked at
            return self.text.add(piece(written[start]))
        return self.text.add(b"".join([piece(token) for token in written[start:]]))

    def follow_reasoning(self, new: int, *, is_loop: bool) -> bool:
        """The last token, which made `new` characters, as part of the reasoning; True when that was cut here."""
        watch = self.reasoning
        if watch is None or watch.state == "after":
            return False
        watch.follow(self.text.text, new, len(self.written), self.cost_s)
        cut = watch.state == "inside" and (is_loop or watch.is_spent)
        if cut:
            self._close_reasoning(watch, "loop" if is_loop else "budget")
        self.limit = watch.limit
        return cut

    def _close_reasoning(self, watch: ReasoningWatch, why: ReasoningEnd) -> None:
        """Has the closing sequence fed behind the last token; where none is known, the answer ends here."""
        sequence = watch.cut(why)
        if not sequence:
            self.end(FinishReason.LENGTH if why == "budget" else FinishReason.LOOP)
            return
        self.feed_at, self.fed, self.is_decoding = self.position, 0, False
        self.feed = [self.written[-1], *sequence]
        self.written += sequence
        self.read()  # what is fed is no place to look for a stop string

    def end(self, reason: FinishReason, *, text: int | None = None, tokens: int | None = None) -> None:
        """Fixes how the answer ends, unless an open question turns out to have completed it earlier."""
        if text is None:
            self.read()
            self.text.end()
        kept_text = len(self.text.text) if text is None else text
        self.cut = Cut(reason, kept_text, len(self.written) if tokens is None else tokens)


def generation_of(lane: Lane, *, began_s: float, width: int, peak_rss_bytes: int | None, energy: bool) -> Generation:
    """The finished sample, with its share of the prefixes that it stood on."""
    job, cut = lane.job, lane.cut
    if lane.complete is not None:
        cut = Cut(FinishReason.ANSWER_COMPLETE, lane.complete.cut, lane.complete.tokens)
    assert cut is not None, "a lane is finished only after its end was fixed"
    text = lane.text.text[: cut.text]
    ended, reasoning_tokens, fed = _reasoning(lane, text, cut)
    first_s = lane.first_token_s if lane.first_token_s is not None else lane.ended_s
    return Generation(
        key=job.request.key,
        text=text,
        finish_reason=cut.reason,
        prompt_tokens=len(job.tokens) + fed,
        shared_prefix_tokens=job.shared,
        completion_tokens=cut.tokens - fed,
        queue_s=lane.started_s - began_s,
        prefill_s=first_s - lane.started_s,
        decode_s=lane.ended_s - first_s,
        ttft_s=first_s - lane.started_s + sum(p.wall_s for p in job.chain) if width == 1 else None,
        cost_s=lane.cost_s + sum(p.cost_s / p.users for p in job.chain),
        start_offset_s=lane.started_s - began_s,
        width=width,
        peak_rss_bytes=peak_rss_bytes,
        energy_j=lane.energy_j + sum(p.energy_j / p.users for p in job.chain) if energy else None,
        reasoning_end=ended,
        reasoning_tokens=reasoning_tokens,
        reasoning_s=lane.reasoning.seconds() if lane.reasoning is not None and reasoning_tokens else 0.0,
    )


def _reasoning(lane: Lane, text: str, cut: Cut) -> tuple[ReasoningEnd, int, int]:
    """How reasoning ended, its tokens, the tokens that were fed; unwatched reasoning is found by its tags."""
    if lane.reasoning is not None:
        return lane.reasoning.counted(cut.tokens)
    pieces = [lane.piece(token) for token in lane.written[: cut.tokens]]
    found = reasoning_of(text, pieces, prompt=lane.job.request.text, ended_by=unclosed_reasoning(cut.reason))
    return found.end, found.tokens, 0


def unclosed_reasoning(reason: FinishReason) -> ReasoningEnd:
    """How reasoning counts that the answer's end cut off."""
    if reason is FinishReason.LOOP:
        return "loop"
    return "budget" if reason is FinishReason.LENGTH else "model"
