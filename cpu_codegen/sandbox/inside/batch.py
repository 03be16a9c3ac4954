"""Many calls for one request, in the candidate's process: as little as possible between two calls. Frames: see candidate.py."""

from __future__ import annotations

import time
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside import large
from cpu_codegen.sandbox.inside.alarm import Alarm, limits
from cpu_codegen.sandbox.inside.describe import describe

MAX_REPLY_BYTES = 63 << 20  # a frame holds it with its neighbours of at most 256 kB
_FLUSH_AFTER_S = 0.02
_FLUSH_AFTER_BYTES = 1 << 18
_MUTABLE = (list, dict, set, bytearray)
_INT64 = 1 << 63


def run(channel: Channel, namespace: dict[str, Any], entry_point: str, request: list[Any]) -> None:
    """Each output is encoded before the next call, as it may change later; replies leave at least every 20 ms.

    Options: "items" and "bytes" from which an output is told by its digest, "plain" for inputs without tags, and alarm.py's.
    """
    _, number, mutable, inputs, *rest = request
    options = rest[0] if rest else {}
    replies, alarm = _Replies(channel, number), Alarm()
    is_plain = options.get("plain", False)
    most_items, most_bytes = options.get("items", large.LARGE_ITEMS), options.get("bytes", MAX_REPLY_BYTES)
    for encoded, seconds in zip(inputs, limits(options, len(inputs)), strict=True):
        replies.flush_if_due()
        try:
            args = encoded if is_plain else values.decode(encoded)
            alarm.begin(seconds)
            try:
                output = namespace[entry_point](*args)
            finally:
                alarm.end()
            reply = None if large.is_large(output, most_items) else _reply(output, args if mutable else None)
            if reply is None or (len(reply) > most_bytes and bool(options) and large.is_offered(output)):
                _offer(channel, replies, output)
                continue
            if len(reply) > MAX_REPLY_BYTES:
                raise values.Unsupported("output too large")
        except ChannelClosed:
            raise
        except BaseException as error:
            reply = values.dumps([1, describe(error)])
        replies.add(reply)
    alarm.close()
    replies.flush()


def _reply(output: Any, args: list[Any] | None) -> bytes:
    """The commonest outputs without the encoder."""
    if args is not None:
        return values.dumps([0, values.encode(output), mutated(args)])
    kind = type(output)
    if kind is bool:
        return b"[0,true]" if output else b"[0,false]"
    if kind is int and -_INT64 <= output < _INT64:
        return b"[0,%d]" % output
    return values.dumps([0, values.encode(output)])


def mutated(args: list[Any]) -> list[Any]:
    """The arguments that a call may have changed, each in a list; [] for one that it cannot have."""
    return [[values.encode(argument)] if type(argument) in _MUTABLE else [] for argument in args]


class _Replies:
    """Replies of one batch on their way out."""

    def __init__(self, channel: Channel, number: int) -> None:
        self.channel = channel
        self.head = values.dumps(number)
        self.pending: list[bytes] = []
        self.size, self.flushed_at = 0, time.perf_counter()

    def add(self, reply: bytes) -> None:
        self.pending.append(reply)
        self.size += len(reply)

    def flush_if_due(self) -> None:
        is_due = self.size > _FLUSH_AFTER_BYTES or time.perf_counter() - self.flushed_at > _FLUSH_AFTER_S
        if self.pending and is_due:
            self.flush()

    def flush(self) -> None:
        if self.pending:
            self.channel.send_bytes(b"[" + b",".join([self.head, *self.pending]) + b"]")
        self.pending, self.size, self.flushed_at = [], 0, time.perf_counter()


def _offer(channel: Channel, replies: _Replies, output: Any) -> None:
    """A large output: kind and length in time, then the digest, then its pieces or on to the next call."""
    replies.add(values.dumps([2, *large.describe_large(output)]))
    replies.flush()
    channel.send(["digest", large.digest(output), int(large.all_floats(output))])
    if channel.receive() == ["pieces"]:
        for piece in large.pieces(output):
            channel.send_bytes(values.dumps(["piece", values.encode(piece)]))
        channel.send(["end"])
        channel.receive()
