"""A measuring session: one loaded program, called many times, its CPU time and memory read from outside.

A call has three phases, so that decoding and encoding stay out of the window:

    arguments →            ← "A": decoded, waiting     the clock is read
    "g" (go)  →            ← "D": done, waiting        the clock is read again
    "f" (go on) →          ← the outputs, if asked for

The clock is the process's own CPU clock as the kernel keeps it for us; the program can neither see nor change it. RLIMIT_CPU is
off, because it makes that clock coarse; the parent watches the clock instead. Not covered: statistics (cpu_codegen/measure/).
"""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from cpu_codegen.errors import HarnessError
from cpu_codegen.judging import verdict
from cpu_codegen.sandbox import meters
from cpu_codegen.sandbox.endings import CLOSED_CHANNEL, ending_of, timeout, violation
from cpu_codegen.sandbox.forkserver import ChildSpec, End, ForkServer
from cpu_codegen.sandbox.frames import BadFrame, Channel, ChannelClosed, ChannelTimeout
from cpu_codegen.schema import Limits, Outcome

Mode = Literal["strict", "evalplus"]
Encoded = Any  # a positional argument list or an output as `values.encode` writes it: plain JSON, opaque to callers

START_TIMEOUT_S = 60.0
_MAX_OUTPUT_BYTES = 16 << 20  # parsed here, so far below what a checker takes
_MAX_STATUS_BYTES = 1 << 16
_WATCH_EVERY_S = 0.1
_DEATH_WAIT_S = 0.2


class SessionFailed(Exception):
    """The program erred, hung, died or broke the protocol; the session is closed. `outcome` and `detail` as in a verdict."""

    def __init__(self, outcome: Outcome, detail: str, message: str) -> None:
        super().__init__(f"{outcome}: {detail}: {message}")
        self.outcome = outcome
        self.detail = detail
        self.message = message


@dataclass(frozen=True, slots=True)
class Measured:
    """One window: `repeats` passes over the batch, all calls together.

    `cpu_s` of all the process's threads, `wall_s` as the parent saw it (one round trip of the channel included, about 0.1 ms),
    `involuntary_switches` of its main thread. `outside_cpu_s` is what the process used since the call before, or since it was
    loaded, beside the window: to decode arguments and encode outputs, and in threads that go on while it should wait. Far more than
    decoding needs is a sign of work hidden from the window. `outputs`: of the last pass.
    `peak_growth_bytes`: how far resident memory rose above what it was when the window opened, if that was asked for.
    `opened_at` is when the window opened, on the clock of `time.perf_counter`. `instructions`: retired in the window, where
    a counter was attached.
    """

    cpu_s: float
    wall_s: float
    involuntary_switches: int
    outside_cpu_s: float
    outputs: list[Encoded] | None = None
    peak_growth_bytes: int | None = None
    opened_at: float = 0.0
    instructions: int | None = None


class Counter(Protocol):
    """Counts events of one process from outside."""

    def read(self) -> int:
        """Events so far."""

    def close(self) -> None:
        """Stops counting."""


class Session:
    """One program in one process, pinned to one core. A context manager; `close` ends the process.

    `limits.wall_s` and `limits.cpu_s` bound the load and each `call`. Raises SessionFailed for whatever is the program's fault
    and HarnessError for what is ours.
    """

    def __init__(
        self,
        server: ForkServer,
        code: str,
        entry_point: str,
        *,
        limits: Limits,
        mode: Mode = "strict",
        core: int | None = None,
    ) -> None:
        self.limits = limits
        self.counter: Counter | None = None  # attached by who wants one; closed with the session
        self._server = server
        ours, theirs = socket.socketpair()
        with ours, theirs:
            core = _last_core() if core is None else core
            spec = ChildSpec("candidate", limits.memory_bytes, None, (theirs.fileno(),), dumpable=True, core=core)
            (self._child,) = server.fork([spec])
            self._channel = Channel(ours.detach())
        self._is_open = True
        try:
            self._start(code, entry_point, mode)
            self._rested_ns = self._cpu_ns()  # the clock when it was last told to wait
        except BaseException:
            self.close()
            raise

    def _start(self, code: str, entry_point: str, mode: Mode) -> None:
        try:
            self._channel.receive_raw(1, time.monotonic() + START_TIMEOUT_S)
        except (ChannelClosed, ChannelTimeout) as error:
            raise HarnessError("the measured program's process did not start") from error
        self._send(["load", code, entry_point, mode])
        match self._reply(_MAX_STATUS_BYTES):
            case ["ready"]:
                return
            case ["failed", "compile", [str(name), str(message), str()]]:
                raise self._failed({"outcome": "syntax", "detail": name, "message": message})
            case ["failed", "load", error]:
                raise self._failed(_verdict_on(error))
            case _:
                raise self._failed(violation("no answer to load"))

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(
        self, batch: Sequence[Encoded], *, repeats: int = 1, fetch: bool = False, memory: bool = False
    ) -> Measured:
        """Calls the entry point with every argument list of the batch, `repeats` times over, in one metered window.

        Every call gets arguments of its own, decoded before the window; an iterator that is returned is drained inside it.
        `memory` resets the process's high-water mark, which costs time: ask for it in a call that is not timed.
        """
        self._send(["measure", repeats, fetch, list(batch)])
        self._expect(b"A")
        resident = self._resident_at_start() if memory else None
        counted = self.counter.read() if self.counter else 0
        before_ns, switches, started = self._cpu_ns(), self._switches(), time.perf_counter()
        self._go_on(b"g")
        self._expect(b"D")
        wall_s = time.perf_counter() - started
        after_ns, switched = self._cpu_ns(), self._switches() - switches
        instructions = self.counter.read() - counted if self.counter else None
        growth = None if resident is None else max(0, self.peak_rss_bytes() - resident)
        self._go_on(b"f")
        outputs = self._outputs(len(batch), fetch=fetch)
        rested_ns, self._rested_ns = self._rested_ns, self._cpu_ns()
        outside_ns = before_ns - rested_ns + self._rested_ns - after_ns
        return Measured(
            (after_ns - before_ns) / 1e9, wall_s, switched, outside_ns / 1e9, outputs, growth, started, instructions
        )

    def _resident_at_start(self) -> int | None:
        """Resident bytes with the high-water mark set back to them; None where the kernel refuses."""
        return self.rss_bytes() if self.reset_peak() else None

    def _outputs(self, count: int, *, fetch: bool) -> list[Encoded] | None:
        match self._reply(_MAX_OUTPUT_BYTES):
            case ["ok", None] if not fetch:
                return None
            case ["ok", [*outputs]] if fetch and len(outputs) == count:
                return outputs
            case ["failed", error]:
                raise self._failed(_verdict_on(error))
            case _:
                raise self._failed(violation("no outputs"))

    @property
    def host_pid(self) -> int:
        """The process as we see it, for readers of /proc."""
        return self._child.host_pid

    def peak_rss_bytes(self) -> int:
        """The largest resident memory since the start or the last `reset_peak`, interpreter included."""
        return self._status().peak_rss_bytes

    def rss_bytes(self) -> int:
        """The resident memory now, interpreter included."""
        return self._status().rss_bytes

    def reset_peak(self) -> bool:
        """Lets the peak begin anew at what is resident now; False where the kernel refuses."""
        return meters.reset_peak(self._child.host_pid)

    def _status(self) -> meters.Status:
        status = meters.status(self._child.host_pid) if self._is_open else None
        if status is None:
            raise self._failed(CLOSED_CHANNEL)
        return status

    def _switches(self) -> int:
        return self._status().involuntary_switches

    def _cpu_ns(self) -> int:
        try:
            return meters.settled_cpu_ns(self._child.host_pid)
        except OSError:
            raise self._gone() from None

    # ── the channel, with the limits watched ─────────────────────────────────────────────────────────────────────────

    def _send(self, message: list[Any]) -> None:
        try:
            self._channel.send(message, time.monotonic() + self.limits.wall_s)
        except ChannelClosed:
            raise self._gone() from None
        except ChannelTimeout:
            raise self._failed(timeout("wall", self.limits.wall_s)) from None

    def _go_on(self, mark: bytes) -> None:
        if self._channel.holds_more():  # the end of a window, sent before the window is opened
            raise self._failed(violation("a byte out of order"))
        try:
            self._channel.send_raw(mark, time.monotonic() + self.limits.wall_s)
        except (ChannelClosed, ChannelTimeout):
            raise self._gone() from None

    def _expect(self, mark: bytes) -> None:
        """Waits for a phase's byte. "F" says that a failure's frame follows."""
        found = self._watched(lambda deadline: self._channel.receive_raw(1, deadline))
        if found == mark:
            return
        if found == b"F":
            self._outputs(0, fetch=False)
        raise self._failed(violation("a byte out of order"))

    def _reply(self, limit: int) -> Any:
        try:
            return self._watched(lambda deadline: self._channel.receive(deadline, limit))
        except BadFrame as error:
            if "too large" in str(error):
                ending = {"outcome": "error", "detail": "output_too_large", "message": f"over {limit} bytes of output"}
                raise self._failed(ending) from None
            raise self._failed(violation("a malformed reply")) from None

    def _watched(self, receive: Any) -> Any:
        """Waits in slices, and between them looks at the clocks."""
        deadline = time.monotonic() + self.limits.wall_s
        begun_ns = meters.cpu_ns(self._child.host_pid)
        while True:
            try:
                return receive(min(deadline, time.monotonic() + _WATCH_EVERY_S))
            except ChannelClosed:
                raise self._gone() from None
            except ChannelTimeout:
                used_s = (meters.cpu_ns(self._child.host_pid) - begun_ns) / 1e9
                if used_s > self.limits.cpu_s:
                    raise self._failed(timeout("cpu", self.limits.cpu_s)) from None
                if time.monotonic() >= deadline:
                    raise self._failed(timeout("wall", self.limits.wall_s)) from None

    # ── ends ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _gone(self) -> SessionFailed:
        ended_by_itself = self._child.has_ended(_DEATH_WAIT_S)
        end = self._end()
        return self._failed(ending_of(end, self.limits.cpu_s) if ended_by_itself and end else CLOSED_CHANNEL)

    def _failed(self, ending: dict[str, Any]) -> SessionFailed:
        self.close()
        return SessionFailed(Outcome(ending["outcome"]), str(ending["detail"]), str(ending["message"]))

    def _end(self) -> End | None:
        if not self._is_open:
            return None
        self._is_open = False
        self._channel.close()
        if self.counter is not None:
            self.counter.close()
        with contextlib.suppress(HarnessError):  # the server is gone, and its children with it
            return self._server.reap([self._child])[0]
        return None

    def close(self) -> None:
        """Ends the process; may be called twice."""
        self._end()


def _last_core() -> int | None:
    """The last core that we may use: the first one gets most of a machine's interrupts."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def _verdict_on(error: Any) -> dict[str, Any]:
    """The verdict on an error as the program's process described it; checked, because that process is hostile."""
    match error:
        case [str(name), str(message), str(missing)]:
            return verdict.of_error([name, message, missing])
        case _:
            return violation("a malformed error")
