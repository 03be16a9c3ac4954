"""What comes back from a candidate: replies and faults, and how one frame of a batch's replies is decoded.

Everything decoded here is hostile. Not covered: asking and waiting (calls.py), what a value is worth (cpu_codegen/judging/).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.inside import large

_DECODE_ERRORS = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, ImportError, RecursionError, MemoryError
)  # fmt: skip


class CandidateFault(BaseException):
    """The candidate ended, hung or broke the protocol. No Exception, so that no test swallows it by accident.

    `kind`: gone (the parent knows how it ended), timeout, protocol, load, compile, exit.
    """

    def __init__(self, kind: str, message: str = "", error: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.kind = kind
        self.error = error


class HarnessFault(Exception):
    """Our own machinery failed; not the candidate's fault."""


@dataclass(frozen=True, slots=True)
class Raised:
    """The candidate raised: [type name, message, missing module]."""

    error: Sequence[str]


@dataclass(frozen=True, slots=True)
class Returned:
    """The candidate returned a value; `mutated` holds its mutable arguments after the call, where asked for."""

    value: Any
    mutated: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Large:
    """The candidate returned more than a frame should hold. Equal, non-empty digests mean equal values of equal types.

    `pieces()` may be called once, before the next reply is asked for: slices of the value, in order.
    """

    kind: str
    length: int
    digest: str
    all_floats: bool
    pieces: Callable[[], Iterator[Any]]


Reply = Returned | Raised | Large


@dataclass(frozen=True, slots=True)
class Announced:
    """A large output's kind and length; the digest is still to come. That of a huge one takes its time."""

    kind: str
    length: int
    is_huge: bool


def parse_replies(
    payload: bytes, count: int, number: int, *, mutable: bool = False
) -> list[Returned | Raised | Announced]:
    """One frame of a batch's replies, at most `count` of them. `mutable`: arguments after the call were asked for."""
    with Decoding():
        return _batch_replies(json.loads(payload), count, number, tagged=b"{" in payload, mutable=mutable)


@dataclass(frozen=True, slots=True)
class SureReplies:
    """Calls that all returned values which are equal when their texts are: the values, the replies' text, where each ends in it."""

    values: list[Any]
    text: bytes
    ends: list[int]


_UNSURE = re.compile(rb'NaN|\{"(?:it|dk|dv|di|o|na|no|ns)"')
"""nan, iterators, views, objects of other types, numpy: equal texts are not equal values, or not surely."""

_BETWEEN = b"],[0,"


def sure_replies(payload: bytes, count: int, number: int) -> SureReplies | None:
    """One frame's replies together, at most `count`; None where `parse_replies` has to look at them. ValueError: no JSON."""
    head = b"[%d,[0," % number
    if not payload.startswith(head) or _UNSURE.search(payload):
        return None
    pieces = payload[len(head) : -2].split(_BETWEEN)
    found = json.loads(payload)[1:]
    if not len(found) == len(pieces) <= count or not all(len(item) == 2 and item[0] == 0 for item in found):
        return None  # too many, an error or a large output among them, or an output that reads like two
    outputs = [values.decode(output) for _, output in found]
    ends = itertools.accumulate(len(piece) + len(_BETWEEN) for piece in pieces)
    return SureReplies(outputs, payload[len(head) - 3 : -1], [end - 1 for end in ends])


def _batch_replies(
    parsed: Any, count: int, number: int, *, tagged: bool, mutable: bool
) -> list[Returned | Raised | Announced]:
    """`tagged`: there may be a tag in it."""
    if (
        type(parsed) is not list
        or not 2 <= len(parsed) <= count + 1
        or parsed[0] != number
        or type(parsed[0]) is not int
    ):
        raise CandidateFault("protocol", "a reply to another batch")
    replies: list[Returned | Raised | Announced] = []
    for item in parsed[1:]:
        if type(item) is not list or len(item) < 2 or item[0] not in (0, 1, 2):
            raise CandidateFault("protocol", "no reply")
        if item[0] == 1:
            replies.append(Raised(error_of(item[1])))
        elif item[0] == 2:
            replies.append(_announced(item, is_last=item is parsed[-1]))
        elif len(item) != 2 + mutable:  # arguments that nobody asked for would be judged by
            raise CandidateFault("protocol", "no reply")
        elif mutable:
            mutated = tuple(values.decode(entry[0]) if entry else None for entry in item[2])
            replies.append(Returned(values.decode(item[1]), mutated))
        else:
            replies.append(Returned(values.decode(item[1]) if tagged else item[1]))
    return replies


def _announced(item: list[Any], *, is_last: bool) -> Announced:
    if len(item) != 4 or item[1] not in large.KINDS or type(item[2]) is not int or not is_last:
        raise CandidateFault("protocol", "a malformed large output")
    return Announced(item[1], item[2], item[3] == 1)


class Decoding:
    """A context: anything that goes wrong while hostile data is decoded is the sender's fault."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, _DECODE_ERRORS):
            raise CandidateFault("protocol", f"malformed reply ({type(error).__name__})") from None


def error_of(item: Any) -> list[str]:
    """[type name, message, missing module] as told by describe.py, or a fault."""
    if type(item) is not list or len(item) != 3 or not all(type(part) is str for part in item):
        raise CandidateFault("protocol", "malformed error")
    return [part[:500] for part in item]
