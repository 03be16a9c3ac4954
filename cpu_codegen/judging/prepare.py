"""Runs a task's canonical solution over its inputs and keeps what judging will need (prepared.py). Runs in the checker.

The canonical solution runs in one candidate's process, for base and plus anew, as with EvalPlus; a program that is judged has two
processes, there and here. Its times are taken here, between frames: a slow call is always the last one of its frame.
"""

from __future__ import annotations

import base64
import functools
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cpu_codegen.judging.comparators import NOT_NONE_TASKS, is_floats, needs_arguments
from cpu_codegen.judging.inputs import encoded_text, published_inputs
from cpu_codegen.judging.prepared import Digest, Part, chunks_of, pack
from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside.calls import Candidate
from cpu_codegen.sandbox.inside.raw_batch import Chunk, Known, send_chunk
from cpu_codegen.sandbox.inside.replies import (
    Announced,
    HarnessFault,
    Large,
    Raised,
    Returned,
    SureReplies,
    parse_replies,
    sure_replies,
)

_SLOW_S = 0.9  # a call under it keeps the plain limit of 4 s


def decide(job: dict[str, Any], candidates: list[Candidate], prepared: Callable[..., None]) -> dict[str, Any]:
    """{"outcome": "prepared", "packed": base64}. HarnessFault when the canonical solution fails here."""
    task, entry_point = job["task"], job["entry_point"]
    parts = published_inputs(base64.b64decode(task["packed_record"]))
    limit_s = float(task["reference_limit_s"])
    prepared(limit_s)
    (candidate,) = candidates
    found = [_part(inputs, candidate, job["code"], task, entry_point=entry_point, limit_s=limit_s) for inputs in parts]
    return {"outcome": "prepared", "packed": base64.b64encode(pack(found)).decode()}


def _part(
    inputs: Sequence[Any], candidate: Candidate, code: str, task: dict[str, Any], *, entry_point: str, limit_s: float
) -> Part:
    chunks = chunks_of(inputs, functools.partial(encoded_text, task["task_id"]))
    if not chunks:
        return Part([], Known(b"", []))
    collected = _Collected(task["suite"], entry_point)
    candidate.wall_s = limit_s
    candidate.large_output_s = lambda: limit_s
    candidate.load(code, entry_point, "evalplus")
    for chunk in chunks:
        for reply, seconds, digest_s in _timed(candidate, chunk, sure=not collected.never_as_bytes):
            if isinstance(reply, SureReplies):
                collected.add_sure(reply, seconds)
            else:
                collected.add(reply, seconds, digest_s)
    return collected.part(chunks)


def _timed(
    candidate: Candidate, chunk: Chunk, *, sure: bool
) -> Iterator[tuple[SureReplies | Returned | Large, float, float]]:
    """Each reply with the wall seconds of its call and of its digest; those of a frame are the last one's.

    `sure`: the replies of a frame may come together where their text can be kept as it is.
    """
    number = send_chunk(candidate, chunk)
    done = 0
    while done < chunk.count:
        started = time.monotonic()
        payload = candidate.receive_frame(candidate.deadline)
        seconds = time.monotonic() - started
        together = sure_replies(payload, chunk.count - done, number) if sure else None
        if together is not None:
            done += len(together.values)
            yield together, seconds, 0.0
            continue
        frame = parse_replies(payload, chunk.count - done, number)
        for item in frame:
            done += 1
            if isinstance(item, Raised):
                raise HarnessFault(f"the canonical solution raised {item.error[0]}: {item.error[1]}")
            spent = seconds if item is frame[-1] else 0.0
            if not isinstance(item, Announced):
                yield item, spent, 0.0
                continue
            announced = time.monotonic()
            for reply in candidate.large(item):
                yield reply, spent, time.monotonic() - announced


class _Collected:
    """The expected replies of one part so far."""

    def __init__(self, suite: str, entry_point: str) -> None:
        self.is_not_none = suite == "mbpp+" and entry_point in NOT_NONE_TASKS
        self.never_as_bytes = self.is_not_none or needs_arguments(suite, entry_point)
        self.texts: list[bytes] = []
        self.ends: list[int] = []
        self.digests: dict[int, Digest] = {}
        self.slow_s: dict[int, float] = {}
        self.sticky_at = -1
        self.total_s = self.digest_s = 0.0

    def add(self, reply: Returned | Large, seconds: float, digest_s: float) -> None:
        """The next expected value."""
        index = len(self.ends)
        self.digest_s = max(self.digest_s, digest_s)
        if isinstance(reply, Large):
            self.digests[index] = Digest(reply.kind, reply.length, reply.digest)
            text = b"[0, null]"
            floats = reply.all_floats
        else:
            value = reply.value is not None if self.is_not_none else reply.value
            encoded = values.dumps(values.encode(value))
            plain = not self.never_as_bytes and _equals_itself(encoded)
            text = b"[0,%b]" % encoded if plain else b"[0, %b]" % encoded
            floats = is_floats(value)
        if floats and self.sticky_at < 0:
            self.sticky_at = index
        self._append(text, [len(text)], seconds)

    def add_sure(self, replies: SureReplies, seconds: float) -> None:
        """The next expected values, whose text is kept as it came. Right for no task that is `never_as_bytes`."""
        if self.sticky_at < 0:
            first = next((i for i, value in enumerate(replies.values) if is_floats(value)), None)
            self.sticky_at = -1 if first is None else len(self.ends) + first
        self._append(replies.text, replies.ends, seconds)

    def _append(self, text: bytes, ends: Sequence[int], seconds: float) -> None:
        """Replies joined by commas, and where each one ends in `text`; the time is the last one's."""
        start = self.ends[-1] + 1 if self.ends else 0
        self.texts.append(text)
        self.ends += [start + end for end in ends]
        self.total_s += seconds
        if seconds > _SLOW_S:
            self.slow_s[len(self.ends) - 1] = round(seconds, 3)

    def part(self, chunks: Sequence[Chunk]) -> Part:
        """What was collected, joined."""
        known = Known(b",".join(self.texts), self.ends)
        seconds = round(self.total_s, 3), round(self.digest_s, 3)
        return Part(chunks, known, self.digests, self.slow_s, self.sticky_at, *seconds)


def _equals_itself(encoded: bytes) -> bool:
    """False where two equal texts are unequal values: nan, iterators, views. Plain JSON without a NaN need not be parsed."""
    if b"{" not in encoded and b"NaN" not in encoded:
        return True
    return bool(values.loads(encoded) == values.loads(encoded))
