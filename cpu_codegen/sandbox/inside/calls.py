"""The checker's side of the channel to a candidate: load, call, batch. Whatever comes back is hostile until decoded.

A reply that is late, malformed, out of order or too large is a CandidateFault, never a result. Not covered: what a value
is worth (cpu_codegen/judging/).
"""

from __future__ import annotations

import builtins
import collections
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cpu_codegen.sandbox import values
from cpu_codegen.sandbox.frames import BadFrame, Channel, ChannelClosed, ChannelTimeout
from cpu_codegen.sandbox.inside import large
from cpu_codegen.sandbox.inside.replies import (
    Announced,
    CandidateFault,
    Decoding,
    HarnessFault,
    Large,
    Reply,
    error_of,
    parse_replies,
)

LATENESS_S = 0.1  # what scheduling may add to a call before it counts as too slow
LARGE_OUTPUT_S = 120.0  # what the digest of a huge output may take, and its pieces, where one is expected
_MAX_BATCH = 512


def _no_time() -> float:
    return 0.0


class CandidateError(Exception):
    """The candidate raised something that is no built-in exception."""


class Candidate:
    """One candidate process."""

    def __init__(
        self,
        channel: Channel,
        *,
        wall_s: float,
        call_s: float,
        on_large: Callable[[float], None] = lambda seconds: None,
        on_finished: Callable[[bool], None] = lambda is_gone: None,
        on_late: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.channel = channel
        self.wall_s = wall_s
        self.call_s = call_s
        self.deadline = time.monotonic() + wall_s
        self.large_output_s: Callable[[], float] = _no_time  # for a huge output beyond the deadline, asked at each
        self.may_stop = True  # StopIteration comes through; else as RuntimeError, as from a generator (PEP 479)
        self.on_large = on_large  # tells the parent that the verdict will take longer than the calls
        self.finish = on_finished  # tells the parent that this candidate is asked no more
        self.late = on_late  # asks the parent for how long the candidate waited for a core since the last time
        self.is_patient = False  # that time is then added to its limits
        self.is_isolated = False
        self.last_error: BaseException | None = None
        self.fault: CandidateFault | None = None  # the first one, should a test that catches everything have caught it
        self.calls = 0

    def load(self, source: str, entry_point: str, mode: str) -> None:
        """Hands the program over and waits until it is loaded; once more, it runs anew in the same process."""
        if not self.is_isolated:
            try:
                self.channel.receive_raw(1, time.monotonic() + 60)
            except (ChannelClosed, ChannelTimeout) as error:
                raise HarnessFault("the candidate's process did not start") from error
            self.is_isolated = True
        self.deadline = time.monotonic() + self.wall_s
        self.send(values.dumps(["load", source, entry_point, mode]))
        reply = self.receive(self.deadline)
        if type(reply) is list and reply[:1] == ["ready"]:
            return
        if type(reply) is list and len(reply) == 3 and reply[0] == "failed" and reply[1] in ("compile", "load"):
            raise CandidateFault(reply[1], "", error_of(reply[2]))
        raise CandidateFault("protocol", "no answer to load")

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """One call as if in process: changes its mutable arguments, raises built-in exceptions by name."""
        number = random_number()
        mutable = any(type(argument) in (list, dict, set, bytearray) for argument in args)
        encoded = [values.encode(argument) for argument in args]
        named = {key: values.encode(argument) for key, argument in kwargs.items()}
        self.send(values.dumps(["call", number, name, encoded, named, mutable]))
        self.calls += 1
        reply = self.receive(self.call_deadline(self.call_s))
        if type(reply) is not list or len(reply) < 3 or reply[0] != number or type(reply[0]) is not int:
            raise CandidateFault("protocol", "a reply to another call")
        if reply[1] == 1:
            self.last_error = _rebuild(error_of(reply[2]), may_stop=self.may_stop)
            raise self.last_error
        with Decoding():
            output = values.decode(reply[2])
            for argument, changed in zip(args, reply[3] if mutable else (), strict=False):
                _write_back(argument, [values.decode(item) for item in changed])
        return output

    def function(self, name: str) -> Callable[..., Any]:
        """A stand-in for the candidate's function of that name."""

        def candidate(*args: Any, **kwargs: Any) -> Any:
            try:
                return self.call(name, args, kwargs)
            except CandidateFault as fault:
                self.fault = self.fault or fault
                raise

        candidate.__name__ = name
        return candidate

    def batch(
        self, inputs: Sequence[Any], limits_s: Sequence[float], *, mutable: bool = False, size: int = _MAX_BATCH
    ) -> Iterator[Reply]:
        """The outcomes of calls with encoded argument lists, in order. `limits_s`: one limit for each call."""
        for start in range(0, len(inputs), size):
            yield from self._one_batch(inputs[start : start + size], limits_s[start : start + size], mutable)

    def _one_batch(self, inputs: Sequence[Any], limits_s: Sequence[float], mutable: bool) -> Iterator[Reply]:
        number = random_number()
        self.send(values.dumps(["batch", number, mutable, inputs]))
        done = 0
        while done < len(inputs):
            payload = self.receive_frame(self.call_deadline(limits_s[done]))
            reply = parse_replies(payload, len(inputs) - done, number, mutable=mutable)
            for item in reply:
                self.calls += 1
                done += 1
                yield from self.large(item) if isinstance(item, Announced) else (item,)

    def large(self, announced: Announced) -> Iterator[Large]:
        """Its digest; then, unless the consumer took the pieces, on to the next call. A huge one's time is no call's."""
        started = time.monotonic()
        extra_s = self.large_output_s() if announced.is_huge else 0.0
        if extra_s:
            self.on_large(extra_s)
        with Decoding():
            word, digest, floats = self.receive(max(self.deadline, started + extra_s))
        if word != "digest" or type(digest) is not str:
            raise CandidateFault("protocol", "no digest of a large output")
        taken: list[Iterator[Any]] = []

        def pieces() -> Iterator[Any]:
            taken.append(self._pieces(announced, extra_s))
            return taken[0]

        yield Large(announced.kind, announced.length, digest, floats == 1, pieces)
        for rest in taken:
            collections.deque(rest, maxlen=0)  # what the consumer left
        self.send(values.dumps(["next"]))
        if extra_s:
            self.deadline += time.monotonic() - started

    def _pieces(self, announced: Announced, extra_s: float) -> Iterator[Any]:
        """No more than was announced, or the checker could be filled up; none empty, or it could be kept busy for nothing."""
        deadline = max(self.deadline, time.monotonic() + extra_s)
        left = announced.length
        self.send(values.dumps(["pieces"]))
        while True:
            message = self.receive(deadline)
            if message == ["end"]:
                return
            with Decoding():
                word, piece = message
                decoded = values.decode(piece)
                if word != "piece" or type(decoded) is not large.KINDS[announced.kind] or not 0 < len(decoded) <= left:
                    raise ValueError("no piece")
            left -= len(decoded)
            yield decoded

    def call_deadline(self, limit_s: float) -> float:
        """When the answer to a call must be here that is made now."""
        return min(self.deadline, time.monotonic() + limit_s + LATENESS_S)

    def send(self, payload: bytes) -> None:
        """A frame; the candidate has until its deadline to read it."""
        try:
            self.channel.send_bytes(payload, self.deadline)
        except ChannelClosed:
            raise CandidateFault("gone") from None
        except ChannelTimeout:
            raise CandidateFault("timeout", "the program does not read its input") from None

    def receive(self, deadline: float) -> Any:
        """The next frame, parsed."""
        payload = self.receive_frame(deadline)
        with Decoding():
            return json.loads(payload)

    def receive_frame(self, deadline: float) -> bytes:
        """The next frame as it is."""
        while True:
            try:
                return self.channel.receive_bytes(deadline)
            except ChannelClosed:
                raise CandidateFault("gone") from None
            except ChannelTimeout:
                more_s = self.late() if self.is_patient else 0.0
                if more_s < LATENESS_S:
                    raise CandidateFault("timeout") from None
                deadline += more_s
                self.deadline += more_s
            except (BadFrame, MemoryError):
                raise CandidateFault("protocol", "output too large") from None


def _rebuild(error: list[str], *, may_stop: bool) -> BaseException:
    """The exception that a test may expect; SystemExit and its like end the judging instead."""
    kind = getattr(builtins, error[0], None)
    if kind is StopIteration and not may_stop:
        kind = RuntimeError
    if isinstance(kind, type) and issubclass(kind, Exception):
        try:
            rebuilt = kind(error[1])
        except Exception:
            rebuilt = CandidateError(f"{error[0]}: {error[1]}")
    elif isinstance(kind, type) and issubclass(kind, BaseException):
        return CandidateFault("exit", error[1], error)
    else:
        rebuilt = CandidateError(f"{error[0]}: {error[1]}")
    rebuilt.__dict__["_described"] = error
    return rebuilt


def _write_back(argument: Any, changed: list[Any]) -> None:
    """In-place changes reach the test's own object, so that aliasing behaves as in process."""
    if not changed or type(changed[0]) is not type(argument) or changed[0] == argument:
        return
    if isinstance(argument, (list, bytearray)):
        argument[:] = changed[0]
    elif isinstance(argument, (dict, set)):
        argument.clear()
        argument.update(changed[0])


def random_number() -> int:
    """Names a batch or a call; nobody can know it before."""
    return int.from_bytes(os.urandom(6), "little")
