"""What judging needs of one EvalPlus task, computed once and kept as compressed JSON: inputs, expected replies, limits.

Small expected outputs are kept as the candidate would write them, so that most are compared as bytes; large ones are kept as kind,
length and digest. A reply that may not be compared as bytes is kept with a space in it, which no candidate writes.
Not covered: how it is computed (prepare.py), where it is stored (cpu_codegen/sandbox/expected.py).
"""

from __future__ import annotations

import bisect
import functools
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside.raw_batch import Chunk, Known

PREPARED_VERSION = 3
CALL_LIMIT_S = 4.0
REFERENCE_FACTOR = 4.0
TASK_LIMIT_S = 60.0
_CHUNK_INPUTS = 256
_CHUNK_CHARS = 4 << 20


@dataclass(frozen=True, slots=True)
class Digest:
    """A large expected output: kind, length, digest ("" = none)."""

    kind: str
    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Part:
    """The base tests or the plus tests of one task.

    `slow_s`: seconds of the reference for the calls that take over one. `sticky_at`: number of the first expected value for which
    EvalPlus turns its tolerance on (-1 = none). `reference_s`: wall seconds of all the reference's calls; `digest_s`: the
    most that the digest of one output took.
    """

    chunks: Sequence[Chunk]
    known: Known
    digests: dict[int, Digest] = field(default_factory=dict)
    slow_s: dict[int, float] = field(default_factory=dict)
    sticky_at: int = -1
    reference_s: float = 0.0
    digest_s: float = 0.0

    @property
    def count(self) -> int:
        """How many inputs there are."""
        return len(self.known.ends)

    def call_limit_s(self, index: int) -> float:
        """EvalPlus's limit of one call: 4 s, or four times what the reference took on this machine."""
        return max(CALL_LIMIT_S, REFERENCE_FACTOR * self.slow_s.get(index, 0.0))

    @property
    def limit_s(self) -> float:
        """EvalPlus's limit of the process; never under twice the reference's own time, for slow machines."""
        calls_s = CALL_LIMIT_S * self.count + sum(self.call_limit_s(i) - CALL_LIMIT_S for i in self.slow_s)
        return max(min(TASK_LIMIT_S, calls_s), 2 * self.reference_s) + 2.0

    def expected(self, index: int) -> Any:
        """An expected value that is kept as it is."""
        start = self.known.ends[index - 1] + 1 if index else 0
        return values.loads(self.known.text[start : self.known.ends[index]])[1]

    def arguments(self, index: int) -> list[Any]:
        """An input, decoded."""
        decoded = values.decode(self.encoded_arguments(index))
        assert isinstance(decoded, list)
        return decoded

    def encoded_arguments(self, index: int) -> Any:
        """An input as the candidate gets it."""
        chunk = self.chunks[bisect.bisect_right(self.chunks, index, key=lambda chunk: chunk.first) - 1]
        return _parsed(chunk)[index - chunk.first]


@functools.lru_cache(maxsize=1)
def _parsed(chunk: Chunk) -> list[Any]:
    """Most often one chunk's inputs are asked for one after the other."""
    found: list[Any] = json.loads(chunk.inputs)
    return found


def chunks_of(inputs: Sequence[Any], text_of: Callable[[Sequence[Any]], bytes] = values.dumps) -> list[Chunk]:
    """Argument lists in portions of a frame. `text_of` writes some of them; by default they are encoded already."""
    chunks: list[Chunk] = []
    for start in range(0, len(inputs), _CHUNK_INPUTS):
        chunks += _chunks(start, inputs[start : start + _CHUNK_INPUTS], text_of)
    return chunks


def _chunks(first: int, inputs: Sequence[Any], text_of: Callable[[Sequence[Any]], bytes]) -> list[Chunk]:
    """Halved until each fits, or is a single input."""
    text = text_of(inputs)
    if len(text) <= _CHUNK_CHARS or len(inputs) == 1:
        return [Chunk(first, len(inputs), text.decode())]
    half = len(inputs) // 2
    return [*_chunks(first, inputs[:half], text_of), *_chunks(first + half, inputs[half:], text_of)]


def pack(parts: Sequence[Part]) -> bytes:
    """Base and plus, compressed."""
    found = [
        {
            "chunks": [[chunk.first, chunk.count, chunk.inputs] for chunk in part.chunks],
            "known": part.known.text.decode(),
            "ends": list(part.known.ends),
            "digests": [[i, d.kind, d.length, d.digest] for i, d in part.digests.items()],
            "slow_s": list(part.slow_s.items()),
            "sticky_at": part.sticky_at,
            "reference_s": part.reference_s,
            "digest_s": part.digest_s,
        }
        for part in parts
    ]
    return zlib.compress(json.dumps([PREPARED_VERSION, found], separators=(",", ":")).encode(), 3)


def unpack(packed: bytes) -> list[Part]:
    """The inverse. ValueError for another version."""
    version, found = json.loads(zlib.decompress(packed))
    if version != PREPARED_VERSION:
        raise ValueError(f"prepared by version {version}")
    return [
        Part(
            chunks=[Chunk(*chunk) for chunk in part["chunks"]],
            known=Known(part["known"].encode(), part["ends"]),
            digests={i: Digest(*rest) for i, *rest in part["digests"]},
            slow_s=dict(part["slow_s"]),
            sticky_at=part["sticky_at"],
            reference_s=part["reference_s"],
            digest_s=part["digest_s"],
        )
        for part in found
    ]
