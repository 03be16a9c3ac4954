"""The candidate's process: loads the program, answers calls, measures nothing itself.

Everything here runs in the same interpreter as hostile code and may be changed by it, so nothing here is trusted: the checker
believes values only, and only in the right order. Frames (JSON lists) from the other side:

    (nothing)                                  → "I" (isolated: from here on an end is the program's own fault)
    ["load", source, entry point, mode]        → ["ready"] | ["failed", phase, error]
    ["call", id, name, args, kwargs, mutable]  → [id, 0, value, mutated] | [id, 1, error]
    ["batch", id, mutable, inputs, options?]   → [id, [0, value, mutated?] | [1, error], …] in several frames, in order;
                                                 after [2, kind, length, huge] of a large output comes ["digest", …], then the
                                                 other side says ["pieces"] (→ ["piece", value]…, ["end"]) and ["next"]
    ["measure", repeats, fetch, inputs]        → "A" (armed) · wait for a byte · "D" (done) · wait for a byte · reply

An error is [type name, message, missing module]. Modes: "strict" (the program is a module of its own) and "evalplus" (as
EvalPlus's `exec(code, {})`, with its guard). Not covered: isolation, which is in force before `serve` is called.
"""

from __future__ import annotations

import contextlib
import gc
import io
import sys
import time
import types
from collections.abc import Callable
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside import alarm, large
from cpu_codegen.sandbox.inside.guard import install_guard

MAX_TAIL_CHARS = 1 << 16
MAX_REPLY_BYTES = 63 << 20  # a frame holds it with its neighbours of at most 256 kB
_FLUSH_AFTER_S = 0.02
_FLUSH_AFTER_BYTES = 1 << 18
_MUTABLE = (list, dict, set, bytearray)


class Tail(io.TextIOBase):
    """Standard output that keeps the first 64 kB: no pipe to flood, and a chatty program still passes."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.room = MAX_TAIL_CHARS

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, text: str, /) -> int:
        """Keeps what there is room for."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.room > 0:
            self.kept.append(text[: self.room])
            self.room -= len(text)
        return len(text)


def quiet_streams() -> None:
    """No input; output goes nowhere but memory."""
    sys.stdout = sys.stderr = Tail()
    sys.stdin = io.StringIO("")


def describe(error: BaseException) -> list[str]:
    """[type name, message, missing module] of an exception; its own methods may be hostile."""
    kind = type(error)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    missing = ""
    try:
        message = str(error)[:500]
        if isinstance(error, ImportError) and isinstance(error.name, str):
            missing = error.name[:100]
    except BaseException:
        message = ""
    return [name[:100], message, missing]


def serve(fd: int) -> None:
    """Loads one program and answers until the other side goes away."""
    _be_nobody()
    channel = Channel(fd)
    with contextlib.suppress(ChannelClosed):
        channel.send_raw(b"I")
        _, source, entry_point, mode = channel.receive()
        quiet_streams()
        namespace = _load(channel, source, entry_point, mode)
        if namespace is not None:
            channel.send(["ready"])
            _answer(channel, namespace, entry_point)
        channel.receive_raw(1)  # stay, so that the meters can be read


def _load(channel: Channel, source: str, entry_point: str, mode: str) -> dict[str, Any] | None:
    phase = "compile"
    try:
        code = compile(source, "<candidate>", "exec", dont_inherit=True, optimize=0)
        phase = "load"
        namespace = _namespace(mode)
        exec(code, namespace)
        if mode == "evalplus":
            namespace[entry_point]  # a task without inputs asks for no more than this
    except BaseException as error:
        channel.send(["failed", phase, describe(error)])
        return None
    return namespace


def _namespace(mode: str) -> dict[str, Any]:
    if mode == "evalplus":
        install_guard()
        return {}
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    return module.__dict__


def _answer(channel: Channel, namespace: dict[str, Any], entry_point: str) -> None:
    while True:
        request = channel.receive()
        kind = request[0]
        if kind == "call":
            _call(channel, namespace, request)
        elif kind == "batch":
            _batch(channel, namespace, entry_point, request)
        elif kind == "measure":
            _measure(channel, namespace, entry_point, request)


def _call(channel: Channel, namespace: dict[str, Any], request: list[Any]) -> None:
    _, number, name, encoded_args, encoded_kwargs, mutable = request
    try:
        args = [values.decode(argument) for argument in encoded_args]
        kwargs = {key: values.decode(argument) for key, argument in encoded_kwargs.items()}
        output = namespace[name](*args, **kwargs)
        reply = values.dumps([number, 0, values.encode(output), _mutated(args) if mutable else []])
    except BaseException as error:
        reply = values.dumps([number, 1, describe(error)])
    channel.send_bytes(reply)


def _mutated(args: list[Any]) -> list[Any]:
    return [[values.encode(argument)] if type(argument) in _MUTABLE else [] for argument in args]


def _batch(channel: Channel, namespace: dict[str, Any], entry_point: str, request: list[Any]) -> None:
    """Each output is encoded before the next call, as it may change later; replies leave at least every 20 ms."""
    _, number, mutable, inputs, *rest = request
    options = rest[0] if rest else {}
    replies = _Replies(channel, number)
    limit = alarm.limits(options, len(inputs))
    for encoded, seconds in zip(inputs, limit, strict=True):
        replies.flush_if_due()
        try:
            args = values.decode(encoded)
            with alarm.after(seconds):
                output = namespace[entry_point](*args)
            if large.is_large(output, options.get("items", large.LARGE_ITEMS)):
                _offer(channel, replies, output)
                continue
            reply = values.dumps([0, values.encode(output), _mutated(args)] if mutable else [0, values.encode(output)])
            if len(reply) > options.get("bytes", MAX_REPLY_BYTES) and type(output).__name__ in large.KINDS and options:
                _offer(channel, replies, output)
                continue
            if len(reply) > MAX_REPLY_BYTES:
                raise values.Unsupported("output too large")
        except ChannelClosed:
            raise
        except BaseException as error:
            reply = values.dumps([1, describe(error)])
        replies.add(reply)
    replies.flush()


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


def _measure(channel: Channel, namespace: dict[str, Any], entry_point: str, request: list[Any]) -> None:
    """Decoding and encoding stay outside the window between armed and done; an iterator is drained inside it."""
    _, repeats, fetch, inputs = request
    try:
        function = namespace[entry_point]
        text = values.dumps(inputs)
        passes = [values.loads(text) for _ in range(repeats)]  # decoding one parsed input twice would share its lists
        gc.collect()
    except BaseException as error:
        channel.send_raw(b"F")
        channel.send(["failed", describe(error)])
        return
    channel.send_raw(b"A")
    channel.receive_raw(1)
    outputs, failure = _run_all(function, passes, keep=fetch)
    channel.send_raw(b"D")
    channel.receive_raw(1)
    try:
        shown = [values.encode(output) for output in outputs] if fetch else None
        reply = values.dumps(["failed", failure] if failure else ["ok", shown])
    except BaseException as error:
        reply = values.dumps(["failed", describe(error)])
    channel.send_bytes(reply)


def _run_all(
    function: Callable[..., Any], passes: list[list[Any]], *, keep: bool
) -> tuple[list[Any], list[str] | None]:
    """The outputs of the last pass, or of none, so that memory is the program's own."""
    outputs: list[Any] = []
    last = len(passes) - 1
    try:
        for number, calls in enumerate(passes):
            for args in calls:
                output = function(*args)
                if hasattr(type(output), "__next__"):
                    output = list(output)
                if keep and number == last:
                    outputs.append(output)
    except BaseException as error:
        return [], describe(error)
    return outputs, None


def _be_nobody() -> None:
    """Takes our own modules out of sight: a candidate sees the standard library (and numpy), nothing of ours by import."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "cpu_codegen"]:
        del sys.modules[name]
