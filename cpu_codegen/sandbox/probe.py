"""The parent's handle of a problem file that is loaded in the sandbox: facts, scaled inputs, agreement, executed lines.

A problem file may be anybody's, so the parent never imports one. What comes back is checked for its type. Argument lists and
outputs stay encoded (plain JSON), ready for a Session. Not covered: what is promised of a file (problem_checks.py).
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from typing import Any, Literal

from cpu_codegen.errors import HarnessError
from cpu_codegen.sandbox.forkserver import ChildSpec, ForkServer
from cpu_codegen.sandbox.frames import BadFrame, Channel, ChannelClosed, ChannelTimeout
from cpu_codegen.sandbox.session import Encoded

PROBE_TIMEOUT_S = 120.0
Which = Literal["reference", "naive"]
_MEMORY_BYTES = 2 << 30
_MAX_REPLY_BYTES = 32 << 20


class ProbeFailed(Exception):
    """The problem file's code raised, hung or died; what it said is the message, `line` where in the file (0 = unknown)."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True)
class Facts:
    """What a problem file offers. `error` (and `error_line`) is set, and nothing else, when it could not even be loaded."""

    error: str = ""
    error_line: int = 0
    case_count: int = 0
    doctest_count: int = 0
    doctest_failures: int = 0
    doctest_message: str = ""
    has_naive: bool = False
    has_accept: bool = False
    has_scaled: bool = False
    sizes: tuple[int, ...] = ()
    growth: tuple[tuple[str, str], ...] = ()
    wrong: tuple[str, ...] = ()


class ProblemProbe:
    """One process with one problem file. A context manager; `close` ends the process.

    `facts` never raises for the file's faults; the other questions raise ProbeFailed.
    """

    def __init__(
        self, server: ForkServer, source: str, entry_point: str, *, timeout_s: float = PROBE_TIMEOUT_S
    ) -> None:
        self._server = server
        self._timeout_s = timeout_s
        self._number = 0
        self._load_error: ProbeFailed | None = None
        ours, theirs = socket.socketpair()
        with ours, theirs:
            (self._child,) = server.fork([ChildSpec("probe", _MEMORY_BYTES, None, (theirs.fileno(),))])
            self._channel = Channel(ours.detach())
        self._is_open = True
        try:
            self._ask_raw(source, entry_point)
        except ProbeFailed as error:
            self._load_error = error

    def __enter__(self) -> ProblemProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def facts(self) -> Facts:
        """What the file offers, its doctests run."""
        try:
            found, doctests = self._ask("facts"), self._ask("doctests")
            return _facts(found, doctests)
        except ProbeFailed as error:
            return Facts(error=str(error) or "it does not load", error_line=error.line)
        except (KeyError, TypeError, ValueError) as error:
            return Facts(error=f"malformed facts ({error!r})")

    def case(self, index: int) -> Encoded:
        """The arguments of one case."""
        return self._ask("case", index)

    def scaled(self, size: int, seed: int = 0) -> Encoded:
        """The arguments of a size, the same for equal (size, seed)."""
        return self._ask("scaled", size, seed)

    def output(self, which: Which, args: Encoded) -> Encoded:
        """What the reference or naive returns."""
        return self._ask("run", which, args)

    def agrees(self, args: Encoded, expected: Encoded, output: Encoded) -> bool:
        """Is `output` a right answer to `args`, where the reference's is `expected`?"""
        return self._ask("agrees", args, expected, output) is True

    def returns_iterator(self, args: Encoded) -> bool:
        """Does the reference return an iterator?"""
        return self._ask("returns_iterator", args) is True

    def foreign_types(self, args: Encoded) -> list[str]:
        """Names of types in the arguments that the format does not allow."""
        return [str(name) for name in self._ask("argument_types", args)]

    def count_lines(self, which: Which, size: int, seed: int = 0) -> int:
        """Executed lines of one call at a size: the same on every machine."""
        return int(self._ask("lines", which, self.scaled(size, seed)))

    def naive_disagreement(self, count: int, max_size: int) -> str | None:
        """None when naive and reference agree on `count` scaled inputs of sizes up to `max_size`, else what differed."""
        for seed in range(count):
            size = 1 + (seed * 7919) % max_size  # a prime step: all sizes in turn, in no order
            differing = self._ask("naive_agrees", size, seed)
            if differing:
                given, expected, got = differing
                return f"scaled({size}, {seed}): on {given:.200} the reference gives {expected:.200}, naive {got:.200}"
        return None

    def _ask(self, name: str, *arguments: Any) -> Any:
        if self._load_error is not None:
            raise ProbeFailed(str(self._load_error), self._load_error.line)
        return self._ask_raw(name, *arguments)

    def _ask_raw(self, *request: Any) -> Any:
        if not self._is_open:
            raise ProbeFailed("the problem file's process has ended")
        self._number += 1
        deadline = time.monotonic() + self._timeout_s
        try:
            self._channel.send([self._number, *request], deadline)
            reply = self._channel.receive(deadline, _MAX_REPLY_BYTES)
        except (ChannelClosed, ChannelTimeout, BadFrame) as error:
            self.close()
            raise ProbeFailed(_end_in_words(error, self._timeout_s)) from None
        match reply:
            case [self._number, 0, result]:
                return result
            case [self._number, 1, [str(name), str(message), str()], int(line)]:
                raise ProbeFailed(f"{name}: {message}" if message else name, line)
            case _:
                self.close()
                raise ProbeFailed("the problem file's process sent no answer")

    def close(self) -> None:
        """Ends the process; may be called twice."""
        if not self._is_open:
            return
        self._is_open = False
        self._channel.close()
        try:
            self._server.reap([self._child])
        except HarnessError:  # the server is gone, and its children with it
            return


def _end_in_words(error: Exception, timeout_s: float) -> str:
    if isinstance(error, ChannelTimeout):
        return f"no answer within {timeout_s:g} s"
    return "its process ended" if isinstance(error, ChannelClosed) else "its answer is too large"


def _facts(found: dict[str, Any], doctests: dict[str, Any]) -> Facts:
    return Facts(
        case_count=int(found["cases"]),
        doctest_count=int(doctests["tried"]),
        doctest_failures=int(doctests["failed"]),
        doctest_message=str(doctests["message"]),
        has_naive=bool(found["has_naive"]),
        has_accept=bool(found["has_accept"]),
        has_scaled=bool(found["has_scaled"]),
        sizes=tuple(int(size) for size in found["sizes"]),
        growth=tuple((str(key), str(word)) for key, word in found["growth"].items()),
        wrong=tuple(str(source) for source in found["wrong"]),
    )
