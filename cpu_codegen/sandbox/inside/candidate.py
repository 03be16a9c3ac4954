"""The candidate's process: loads the program, answers calls, measures nothing itself.

Everything here runs in the same interpreter as hostile code and may be changed by it, so nothing here is trusted: the checker
believes values only, and only in the right order. Frames (JSON lists) from the other side:

    (nothing)                                  → "I" (isolated: from here on an end is the program's own fault)
    ["load", source, entry point, mode]        → ["ready"] | ["failed", phase, error]; again: the program anew, in this process
    ["call", id, name, args, kwargs, mutable]  → [id, 0, value, mutated] | [id, 1, error]
    ["batch", id, mutable, inputs, options?]   → [id, [0, value, mutated?] | [1, error], …] in several frames, in order;
                                                 after [2, kind, length, huge] of a large output comes ["digest", …], then the
                                                 other side says ["pieces"] (→ ["piece", value]…, ["end"]) and ["next"]
    ["measure", repeats, fetch, inputs]        → "A" (armed) · wait for a byte · "D" (done) · wait for a byte · reply

An error is [type name, message, missing module]. Modes: "strict" (the program is a module of its own) and "evalplus" (as
EvalPlus's `exec(code, {})`, with its guard). Not covered: isolation, which is in force before `serve` is called.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # the functions of `signal` wrap these and take ten times as long
import contextlib
import gc
import io
import sys
import types
from collections.abc import Callable
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.frames import Channel, ChannelClosed
from cpu_codegen.sandbox.inside import batch
from cpu_codegen.sandbox.inside.describe import describe
from cpu_codegen.sandbox.inside.guard import install_guard

MAX_TAIL_CHARS = 1 << 16
_EVALPLUS_FRAMES = 16  # as many more lie below a call there: command line, pool, two processes (CPython 3.11)


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


def serve(fd: int) -> None:
    """Loads one program and answers until the other side goes away."""
    _be_nobody()
    channel = Channel(fd)
    with contextlib.suppress(ChannelClosed):
        channel.send_raw(b"I")
        _, source, entry_point, mode = channel.receive()
        quiet_streams()
        _below(_EVALPLUS_FRAMES if mode == "evalplus" else 0, lambda: _run(channel, source, entry_point, mode))
        channel.receive_raw(1)  # stay, so that the meters can be read


def _below(frames: int, action: Callable[[], None]) -> None:
    """Under so many more frames, which count toward the limit of recursion."""
    if frames:
        _below(frames - 1, action)
    else:
        action()


def _run(channel: Channel, source: str, entry_point: str, mode: str) -> None:
    while (namespace := _load(channel, source, entry_point, mode)) is not None:
        channel.send(["ready"])
        _, source, entry_point, mode = _answer(channel, namespace, entry_point)


def _load(channel: Channel, source: str, entry_point: str, mode: str) -> dict[str, Any] | None:
    """The names as they are when the program has run: a function that gives its name to another stays the one that is called."""
    phase = "compile"
    try:
        code = compile(source, "<candidate>", "exec", dont_inherit=True, optimize=0)
        phase = "load"
        namespace = _namespace(mode)
        streams = sys.stdin, sys.stdout, sys.stderr
        exec(code, namespace)
        if mode == "evalplus":
            sys.stdin, sys.stdout, sys.stderr = streams  # there each call begins with new ones
            namespace[entry_point]  # a task without inputs asks for no more than this
    except BaseException as error:
        channel.send(["failed", phase, describe(error)])
        return None
    return dict(namespace)


def _namespace(mode: str) -> dict[str, Any]:
    if mode == "evalplus":
        install_guard()
        return {}
    # files as any program has them, with buffer and fileno; ours are all /dev/null
    sys.stdin, sys.stdout, sys.stderr = sys.__stdin__, sys.__stdout__, sys.__stderr__
    module = types.ModuleType("candidate")
    sys.modules["candidate"] = module
    return module.__dict__


def _answer(channel: Channel, namespace: dict[str, Any], entry_point: str) -> list[Any]:
    """Until a request to load comes, which is returned."""
    while True:
        request: list[Any] = channel.receive()
        kind = request[0]
        if kind == "load":
            return request
        if kind == "call":
            _call(channel, namespace, request)
        elif kind == "batch":
            batch.run(channel, namespace, entry_point, request)
        elif kind == "measure":
            _measure(channel, namespace, entry_point, request)


def _call(channel: Channel, namespace: dict[str, Any], request: list[Any]) -> None:
    _, number, name, encoded_args, encoded_kwargs, mutable = request
    try:
        args = [values.decode(argument) for argument in encoded_args]
        kwargs = {key: values.decode(argument) for key, argument in encoded_kwargs.items()}
        output = namespace[name](*args, **kwargs)
        reply = values.dumps([number, 0, values.encode(output), batch.mutated(args) if mutable else []])
    except BaseException as error:
        reply = values.dumps([number, 1, describe(error)])
    channel.send_bytes(reply)


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


# Every page that a child writes to is copied, and to look at a name is to write its reference count: so the names are noted before
# the fork, and the modules kept, not freed.
_OURS: list[str] = []
_KEPT: list[types.ModuleType] = []


def note_modules() -> None:
    """To be called by the fork server when everything is imported."""
    _OURS[:] = [name for name in sys.modules if name.partition(".")[0] == "cpu_codegen"]


def _be_nobody() -> None:
    """Takes our own modules out of sight: a candidate sees the standard library (and numpy), nothing of ours by import. Ctrl-C is a
    KeyboardInterrupt again, by which programs interrupt themselves; the terminal's does not reach it.
    """
    _KEPT.extend(sys.modules.pop(name) for name in _OURS)
    _signal.signal(_signal.SIGINT, _signal.default_int_handler)
