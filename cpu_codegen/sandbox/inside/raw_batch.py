"""Calls whose inputs and expected replies are at hand as bytes: a reply that is right byte for byte need not be parsed.

That is most of what a right program sends, and it is why judging costs little more than running. Runs in the checker.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox.inside.calls import Candidate, random_number
from cpu_codegen.sandbox.inside.replies import Announced, CandidateFault, Reply, parse_replies

SLACK_BYTES = 1 << 16  # an output whose reply is longer is told by its digest
SLACK_ITEMS = 1 << 13  # the same, guessed before it is encoded
NEVER_AS_BYTES = b"[0, "  # begins a known reply that no bytes are right for: nan, an iterator, what has a digest


@dataclass(frozen=True, slots=True)
class Known:
    """The replies that are surely right, as the candidate would write them, joined by commas. `ends`: where each one ends."""

    text: bytes
    ends: Sequence[int]

    def count_same(self, payload: bytes, start: int, first: int) -> int:
        """How many replies the payload holds from `start` to its bracket, if they are those from number `first` on; else 0.

        An encoder never writes NEVER_AS_BYTES, but a program that writes its own frames may.
        """
        begin = self.ends[first - 1] + 1 if first else 0
        end = begin + len(payload) - 1 - start
        last = bisect_left(self.ends, end)
        if last >= len(self.ends) or self.ends[last] != end or payload[-1:] != b"]":
            return 0
        is_same = memoryview(payload)[start:-1] == memoryview(self.text)[begin:end]
        return last - first + 1 if is_same and self.text.find(NEVER_AS_BYTES, begin, end) < 0 else 0


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some of a part's inputs: JSON text of a list of encoded argument lists. `first` is the number of the first one."""

    first: int
    count: int
    inputs: str


def replies(
    candidate: Candidate,
    chunk: Chunk,
    known: Known,
    *,
    mutable: bool = False,
    limit_s: Callable[[int], float] | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[int | Reply]:
    """The chunk's outcomes in order: a number of replies that are as known, or one reply to be looked at.

    `limit_s` gives the limit of one call, kept from here; None: only the candidate's deadline holds. `options`: see alarm.py.
    """
    number = send_chunk(candidate, chunk, mutable=mutable, options=options)
    head = f"[{number},".encode()
    done = 0
    while done < chunk.count:
        index = chunk.first + done
        payload = candidate.receive_frame(candidate.call_deadline(limit_s(index)) if limit_s else candidate.deadline)
        same = known.count_same(payload, len(head), index) if payload.startswith(head) else 0
        if same > chunk.count - done:  # answers to the next chunk's calls, which nobody asked yet
            raise CandidateFault("protocol", "more replies than calls")
        if same:
            candidate.calls += same
            done += same
            yield same
            continue
        for item in parse_replies(payload, chunk.count - done, number, mutable=mutable):
            candidate.calls += 1
            done += 1
            yield from candidate.large(item) if isinstance(item, Announced) else (item,)


def send_chunk(
    candidate: Candidate, chunk: Chunk, *, mutable: bool = False, options: Mapping[str, Any] | None = None
) -> int:
    """Asks for all calls of a chunk; returns the batch's number."""
    number = random_number()
    is_plain = "{" not in chunk.inputs  # no tag, nothing to rebuild
    rest = json.dumps({"bytes": SLACK_BYTES, "items": SLACK_ITEMS, "plain": is_plain, **(options or {})})
    candidate.send(f'["batch",{number},{"true" if mutable else "false"},{chunk.inputs},{rest}]'.encode())
    return number
