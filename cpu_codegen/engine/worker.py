"""The engine's own process: reads commands from stdin, drives llama.cpp, writes events to stdout. Started by llama.py.

`python -m cpu_codegen.engine.worker`, in a session of its own; stderr is the log. A thread reads the pipe, so that an abort is
heard in the middle of a step; when the parent is gone the process ends at once. Commands: open, run, answer, abort, measure,
tokenize, score, close. Events: ready, refused, started, working, asked, generation, scored, done, measured.
"""

from __future__ import annotations

import math
import os
import queue
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, NoReturn

from cpu_codegen.engine.backend import Aborted, EngineFailure
from cpu_codegen.engine.events import Asked, Event, Started
from cpu_codegen.engine.meters import peak_rss_bytes
from cpu_codegen.engine.wire import Wire, WireBroken, WireClosed

EXIT_FAILURE = 70
"""llama.cpp gave up on a step: the parent treats it as a crash."""

ANSWER_TIMEOUT_S = 30.0
"""Far beyond the parser's own limit: a parent that does not answer must not hold the run."""


def main() -> None:
    """Serves one parent until it closes the pipe."""
    _die_with_parent()
    wire = Wire(os.fdopen(os.dup(0), "rb"), _private_stdout())
    inbox = Inbox(wire)
    try:
        _serve(wire, inbox)
    except WireClosed:
        _leave(0)
    except EngineFailure as error:
        _give_up(error)
    _leave(0)


def _die_with_parent() -> None:
    """Linux kills us with the thread that started us; elsewhere the closed pipe tells."""
    if sys.platform.startswith("linux"):
        import ctypes
        import signal

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        if str(os.getppid()) != os.environ.get("CPU_CODEGEN_PARENT", str(os.getppid())):
            _leave(0)  # it died before we could ask


def _private_stdout() -> IO[bytes]:
    """The pipe under a number of its own; what anything prints goes to the log instead."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(pipe, "wb")


def _leave(code: int) -> NoReturn:
    """Without destructors: freeing gigabytes takes a second, the system does it at once."""
    sys.stderr.flush()
    os._exit(code)


def _give_up(why: Exception) -> NoReturn:
    """With the reason in the log, where the parent looks for it."""
    print(f"cpu-codegen: {why}", file=sys.stderr, flush=True)
    _leave(EXIT_FAILURE)


class Inbox:
    """Commands in their order; an abort takes effect before it is read."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._commands: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.abort: Any = None
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        while True:
            try:
                message = self._wire.receive()
            except WireBroken as broken:
                _give_up(broken)
            except WireClosed:
                _leave(0)
            if message["do"] == "close":
                _leave(0)
            if message["do"] == "abort" and self.abort is not None:
                self.abort.set()
            self._commands.put(message)

    def next(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next command; None when none comes in time (0 = does not wait)."""
        try:
            return self._commands.get(timeout_s != 0, timeout_s)
        except queue.Empty:
            return None


def _serve(wire: Wire, inbox: Inbox) -> None:
    opened: Any = None
    while True:
        message = inbox.next()
        if message is None:
            continue
        if message["do"] == "open":
            opened = _open(wire, message["settings"])
            inbox.abort = opened.abort
        elif message["do"] == "run":
            _run(wire, inbox, opened, message)
        elif message["do"] == "measure":
            _measure(wire, opened, message)
        elif message["do"] in ("tokenize", "score"):
            _score(wire, opened, message)


def _open(wire: Wire, settings: dict[str, Any]) -> Any:
    """Loads the model and reports it, or says why not and ends."""
    try:
        from cpu_codegen.engine import binding
    except (ImportError, OSError, RuntimeError) as error:
        wire.send({"event": "refused", "kind": "no_binding", "why": str(error)})
        _leave(0)
    from cpu_codegen.engine.opened import Opened

    try:
        opened = Opened(settings)
        wire.send({"event": "ready", "info": opened.info()})
        return opened
    except binding.UnsupportedModel as error:
        wire.send({"event": "refused", "kind": "unsupported", "why": str(error)})
    except binding.NoContext as error:  # for the calibration
        wire.send({"event": "refused", "kind": "context", "why": str(error)})
    except binding.LoadFailed as error:
        wire.send({"event": "refused", "kind": "load", "why": str(error)})
    _leave(0)


def _run(wire: Wire, inbox: Inbox, opened: Any, message: dict[str, Any]) -> None:
    """One batch of requests. Questions are sent on, answers taken in between steps."""
    from cpu_codegen.engine.binding import LoadFailed, NoContext

    opened.abort.clear()
    try:
        scheduler, context, finished = opened.prepare(
            message["requests"], width=message["width"], within=message.get("within")
        )
    except NoContext as error:
        wire.send({"event": "refused", "kind": "context", "why": str(error)})
        return
    except LoadFailed as error:  # the draft model, which is loaded when it is needed first
        wire.send({"event": "refused", "kind": "draft", "why": str(error)})
        return
    except Aborted:  # in the steps that tell a deadline's pace, or what guessing costs
        wire.send({"event": "done", "aborted": True, "totals": {}})
        return
    try:
        _send_all(wire, finished)
        beat_s, beats_at_s = message.get("beat_s", math.inf), time.monotonic()
        while not scheduler.is_done:
            waits = scheduler.is_waiting
            events = [] if waits else scheduler.step()
            _send_all(wire, events)
            _take_answers(wire, inbox, scheduler, wait=waits)
            if time.monotonic() - beats_at_s >= beat_s:
                beats_at_s = time.monotonic()
                wire.send(_working(scheduler))
    except Aborted:
        wire.send({"event": "done", "aborted": True, "totals": asdict(scheduler.totals)})
        return
    finally:
        context.close()
    wire.send({"event": "done", "aborted": False, "totals": asdict(scheduler.totals)})


def _working(scheduler: Any) -> dict[str, Any]:
    """A pulse (protocol.py), between two steps."""
    count, tokens = scheduler.open
    read = scheduler.totals.prompt_tokens + scheduler.totals.prefix_tokens
    pulse = {"open": count, "open_tokens": tokens, "prompt_tokens": read, "peak_rss_bytes": peak_rss_bytes()}
    return {"event": "working", "pulse": pulse}


def _measure(wire: Wire, opened: Any, message: dict[str, Any]) -> None:
    from cpu_codegen.engine.binding import LoadFailed

    opened.abort.clear()
    try:
        wire.send({"event": "measured", **opened.measure(message)})
    except LoadFailed as error:
        wire.send({"event": "refused", "kind": "depth", "why": str(error)})


def _score(wire: Wire, opened: Any, message: dict[str, Any]) -> None:
    """Given texts instead of answers, for `ladder`: their tokens, or what the model thinks of them."""
    from cpu_codegen.engine.binding import LoadFailed
    from cpu_codegen.engine.likelihood import Texts
    from cpu_codegen.fidelity.divergence import NotNumbers

    opened.abort.clear()
    done: dict[str, Any] = {"event": "done", "aborted": False}
    try:
        texts = Texts(opened, message["items"])
        if message["do"] == "tokenize":
            done |= texts.records()
        else:
            for event in texts.scores(Path(message["folder"]), is_base=message["is_base"]):
                wire.send(event)
    except Aborted:
        done["aborted"] = True
    except (LoadFailed, NotNumbers, OSError) as error:
        kind = "context" if isinstance(error, LoadFailed) else "disk" if isinstance(error, OSError) else "numbers"
        done = {"event": "refused", "kind": kind, "why": str(error)}
    wire.send(done)


def _take_answers(wire: Wire, inbox: Inbox, scheduler: Any, *, wait: bool) -> None:
    deadline = time.monotonic() + ANSWER_TIMEOUT_S
    while (message := inbox.next(max(0.0, deadline - time.monotonic()) if wait else 0)) is not None:
        if message["do"] == "abort":
            raise Aborted
        if message["do"] == "answer":
            _send_all(wire, scheduler.answer(message["ticket"], complete=message["complete"]))
        wait = wait and scheduler.is_waiting
    if wait:
        _send_all(wire, scheduler.give_up_waiting())


def _send_all(wire: Wire, events: list[Event]) -> None:
    for event in events:
        if isinstance(event, Started):
            wire.send({"event": "started", "key": event.key})
        elif isinstance(event, Asked):
            asked = {"ticket": event.ticket, "entry_point": event.entry_point, "code": event.question.code}
            wire.send({"event": "asked", **asked})
        else:
            wire.send({"event": "generation", "generation": asdict(event)})


if __name__ == "__main__":
    main()
