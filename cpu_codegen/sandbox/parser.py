"""A resident sandboxed parser: text in, Outline out, within a time limit. Survives what kills it by starting anew.

Usable alone, without the rest of the sandbox: it is the one sandboxed process that may live beside a loaded model.
"""

from __future__ import annotations

import socket
import threading
import time
from typing import Any

from cpu_codegen.errors import HarnessError
from cpu_codegen.sandbox import tiers
from cpu_codegen.sandbox.forkserver import Child, ChildSpec, ForkServer
from cpu_codegen.sandbox.frames import BadFrame, Channel, ChannelClosed, ChannelTimeout
from cpu_codegen.schema import Outline, OutlineItem

MAX_TEXT_BYTES = 1 << 20
_MEMORY_BYTES = 1 << 30
_REPLY_BYTES = 16 << 20


def open_parser(*, allow_weak: bool = False) -> Parser:
    """A parser of its own. Raises MachineError where no sandbox is possible."""
    return Parser(tiers.choose(allow_weak=allow_weak))


class Parser:
    """One parser process behind a lock; any thread may ask."""

    def __init__(self, plan: tiers.Plan) -> None:
        self._plan = plan
        self._lock = threading.Lock()
        self._server: ForkServer | None = ForkServer(plan)
        self._child: Child | None = None
        self._channel: Channel | None = None
        self._number = 0

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def outline(self, text: str, timeout_s: float = 0.1, *, max_bytes: int = MAX_TEXT_BYTES) -> Outline:
        """The text's top-level items, or why there are none: a syntax error, too long, too slow, or a crashed parser."""
        if len(text) > max_bytes:
            return Outline(error=f"longer than {max_bytes} characters", error_line=1)
        with self._lock:
            channel = self._ready()
            self._number += 1
            deadline = time.monotonic() + timeout_s
            try:
                channel.send([self._number, text], deadline)
                return _outline(channel.receive(deadline, _REPLY_BYTES), self._number)
            except ChannelTimeout:
                problem = f"not parsed within {timeout_s:g} s"
            except (ChannelClosed, BadFrame, ValueError, TypeError) as error:
                problem = f"the parser crashed on it ({type(error).__name__})"
            self._drop()
            return Outline(error=problem, error_line=1)

    def _ready(self) -> Channel:
        if self._channel is None:
            if self._server is not None and not self._server.is_alive():
                self._server.close()
                self._server = None
            if self._server is None:
                self._server = ForkServer(self._plan)
            ours, theirs = socket.socketpair()
            with ours, theirs:
                (self._child,) = self._server.fork([ChildSpec("parser", _MEMORY_BYTES, None, (theirs.fileno(),))])
                self._channel = Channel(ours.detach())
        return self._channel

    def _drop(self) -> None:
        """Ends the parser process; the next question starts another one."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._child is not None and self._server is not None:
            try:
                self._server.reap([self._child])
            except HarnessError:
                self._server.close()
                self._server = None
            self._child = None

    def close(self) -> None:
        """Ends both processes; may be called twice."""
        with self._lock:
            self._drop()
            if self._server is not None:
                self._server.close()
                self._server = None


def _outline(reply: Any, number: int) -> Outline:
    """The reply's types are checked: it comes from a process that read hostile text."""
    if type(reply) is not list or len(reply) != 4 or reply[0] != number:
        raise ValueError("not an outline")
    _, items, error, line = reply
    if type(error) is not str or type(line) is not int or type(items) is not list:
        raise ValueError("not an outline")
    return Outline(items=tuple(map(_item, items)), error=error, error_line=line)


def _item(fields: Any) -> OutlineItem:
    kind, first, last, defines, uses, has_return, has_body, decorated = fields
    names = [*defines, *uses]
    if (
        type(kind) is not str
        or not all(type(name) is str for name in names)
        or type(first) is not int
        or type(last) is not int
    ):
        raise ValueError("not an outline item")
    return OutlineItem(
        kind, first, last, tuple(defines), tuple(uses), bool(has_return), bool(has_body), bool(decorated)
    )
