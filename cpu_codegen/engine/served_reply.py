"""One streamed chat completion → one Generation: pieces of text as they come, and the same ends as in our own engine.

An answer is complete at the closed block that defines the entry point, at a stop string, at the model's own end or at max_tokens; a
server that ignores max_tokens is stopped all the same. Reasoning that a server sends apart is put back between <think> tags.
Not covered: the connection (served_http.py), retries and threads (served.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.engine.lane import unclosed_reasoning
from cpu_codegen.engine.loops import goes_round
from cpu_codegen.engine.served_http import Trouble
from cpu_codegen.engine.watch import FenceWatch, first_stop, reasoning_of
from cpu_codegen.schema import FinishReason, Generation, Request

OPENING, CLOSING = "<think>", "</think>"
SPARE_EVENTS = 256
"""Events without text that a server may send beside those with text."""

MAX_TOKEN_CHARS = 256
"""No token stands for more; servers may send many in one piece, or all of them."""

Decide = Callable[[str, str], bool]


@dataclass(slots=True)
class _Timings:
    """What a server says of its own times (llama-server: milliseconds), and its count of tokens."""

    prefill_s: float | None = None
    decode_s: float | None = None
    prompt_tokens: int = 0
    shared_prefix_tokens: int = 0
    completion_tokens: int | None = None


@dataclass(slots=True)
class Reply:
    """An answer on its way. `take` is given every event; True = nothing more is wanted, close the connection."""

    request: Request
    decide: Decide
    clock: Callable[[], float] = time.perf_counter
    text: str = ""
    pieces: list[str] = field(default_factory=list)
    ended: FinishReason | None = None
    cut_chars: int = 0
    cut_pieces: int = 0
    began_s: float = 0.0
    first_s: float | None = None
    last_s: float = 0.0
    _events: int = 0
    _in_reasoning: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)
    _written: list[int] = field(default_factory=list)
    _watch: FenceWatch | None = None
    _timings: _Timings = field(default_factory=_Timings)

    def __post_init__(self) -> None:
        """The clock starts."""
        self.began_s = self.last_s = self.clock()
        if self.request.early_stop and self.request.entry_point:
            self._watch = FenceWatch(prompt="")

    def take(self, event: dict[str, Any] | None) -> bool:
        """One event, None = [DONE]."""
        if event is None:
            if self.ended is None:
                raise Trouble("the server cut the answer off")
            return True
        self._events += 1
        if self._events > 2 * self.request.max_tokens + SPARE_EVENTS:
            raise Trouble("a stream without end and without text")
        self._read_counts(event)
        choice = _choice(event)
        if choice is None or self.ended is not None:
            return False
        self._take_text(choice)
        if self.ended is None and choice.get("finish_reason"):
            self._end(FinishReason.LENGTH if choice["finish_reason"] == "length" else FinishReason.EOS)
            return False  # the counts come after
        return self.ended is not None

    def close(self) -> None:
        """The stream is over: an answer without an end was torn."""
        if self.ended is None:
            raise Trouble(
                "the server ended the connection in the middle of an answer", without_a_word=self._events == 0
            )

    # ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _take_text(self, choice: dict[str, Any]) -> None:
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            raise Trouble("an event without a delta")
        reasoning = _piece(delta.get("reasoning_content") or delta.get("reasoning"))
        content = _piece(delta.get("content"))
        if reasoning:
            self._add(reasoning, before="" if self._in_reasoning else OPENING)
            self._in_reasoning = True
        if content and self.ended is None:
            self._add(content, before=CLOSING if self._in_reasoning else "")
            self._in_reasoning = False

    def _add(self, piece: str, *, before: str = "") -> None:
        """`before` is a tag of ours and counts as no token."""
        now = self.clock()
        self.first_s = now if self.first_s is None else self.first_s
        self.last_s = now
        self.text += before + piece
        self.pieces.append(piece)
        self._written.append(self._numbers.setdefault(piece, len(self._numbers)))
        stop = first_stop(self.text, len(piece), self.request.stop) if self.request.stop else None
        if stop is not None:
            self._end(FinishReason.STOP_STRING, chars=stop)
        elif self._watch is not None and "\n" in piece and self._is_complete(self._watch):
            self._end(FinishReason.ANSWER_COMPLETE, chars=self.cut_chars)
        elif len(self.pieces) >= self.request.max_tokens or len(self.text) > MAX_TOKEN_CHARS * self.request.max_tokens:
            self._end(FinishReason.LENGTH)
        elif self.request.loop_stop and goes_round(self._written):
            self._end(FinishReason.LOOP)

    def _is_complete(self, watch: FenceWatch) -> bool:
        question = watch.closed_block(self.text, len(self.pieces))
        if question is None or not self.decide(question.code, self.request.entry_point):
            return False
        self.cut_chars = question.cut
        return True

    def _end(self, reason: FinishReason, *, chars: int | None = None) -> None:
        self.ended = reason
        self.cut_chars = len(self.text) if chars is None else chars
        self.cut_pieces = len(self.pieces)

    # ── counts ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_counts(self, event: dict[str, Any]) -> None:
        """`usage` of OpenAI's, `timings` of llama-server's; the last ones count."""
        usage, timings, found = event.get("usage"), event.get("timings"), self._timings
        if isinstance(usage, dict):
            found.prompt_tokens = _count(usage.get("prompt_tokens")) or found.prompt_tokens
            found.completion_tokens = _count(usage.get("completion_tokens"))
        if isinstance(timings, dict):
            cached = _count(timings.get("cache_n")) or 0
            found.prompt_tokens = (_count(timings.get("prompt_n")) or 0) + cached
            found.shared_prefix_tokens = cached
            found.completion_tokens = _count(timings.get("predicted_n"))
            found.prefill_s, found.decode_s = _seconds(timings, "prompt_ms"), _seconds(timings, "predicted_ms")

    def generation(self, **measured: Any) -> Generation:
        """The sample; `measured` are queue, cost, memory and energy, which the engine knows.

        An answer that we cut counts our pieces as tokens: servers send one token a piece, or a few that make one character.
        """
        assert self.ended is not None, "an answer without an end raises Trouble"
        found, text = self._timings, self.text[: self.cut_chars]
        is_whole = self.ended in (FinishReason.EOS, FinishReason.LENGTH)
        first_s = self.first_s if self.first_s is not None else self.last_s
        pieces = [piece.encode("utf-8", "replace") for piece in self.pieces[: self.cut_pieces]]
        reasoning = reasoning_of(text, pieces, prompt="", ended_by=unclosed_reasoning(self.ended))
        return Generation(
            key=self.request.key,
            text=text,
            finish_reason=self.ended,
            prompt_tokens=found.prompt_tokens,
            shared_prefix_tokens=found.shared_prefix_tokens,
            completion_tokens=(found.completion_tokens if is_whole else None) or self.cut_pieces,
            prefill_s=found.prefill_s if found.prefill_s is not None else first_s - self.began_s,
            decode_s=found.decode_s if found.decode_s is not None else self.last_s - first_s,
            reasoning_end=reasoning.end,
            reasoning_tokens=reasoning.tokens,
            **measured,
        )

    @property
    def first_token_s(self) -> float | None:
        """From the request to the first piece of text, as the client sees it."""
        return None if self.first_s is None else self.first_s - self.began_s


def _choice(event: dict[str, Any]) -> dict[str, Any] | None:
    """The first choice; None for an event of counts alone."""
    choices = event.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise Trouble("an event without choices")
    return choices[0] if choices else None


def _piece(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Trouble("a piece of text that is none")
    return value


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 31 else None


def _seconds(timings: dict[str, Any], name: str) -> float | None:
    value = timings.get(name)
    return value / 1000 if isinstance(value, int | float) and 0 <= value < 1e10 else None
