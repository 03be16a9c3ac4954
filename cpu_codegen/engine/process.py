"""The parent's handle of one engine process: start it, talk to it, learn how it ended. Knows nothing of llama.cpp.

The child is a fresh interpreter in a session of its own, so that the terminal's signals reach the parent alone; it dies with the
parent. Its stderr is appended to the log. Questions are answered by a thread, so that a slow consumer delays no sample.
"""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cpu_codegen.busy import waiting
from cpu_codegen.engine.wire import Wire, WireClosed
from cpu_codegen.errors import MachineError

PACKAGE_PARENT = str(Path(__file__).resolve().parents[2])
LOG_TAIL_BYTES = 1 << 16

Decide = Callable[[str, str], bool]
"""(code, entry point) → does the block complete the answer?"""


class EngineDied(Exception):
    """The process is gone. `str(error)` names the signal or the exit code."""

    def __init__(self, returncode: int | None) -> None:
        super().__init__(ending(returncode))
        self.returncode = returncode


def ending(returncode: int | None) -> str:
    """SIGSEGV, exit code 70 and the like."""
    if returncode is None:
        return "it closed its pipe"
    if returncode < 0:
        try:
            return signal.Signals(-returncode).name
        except ValueError:
            return f"signal {-returncode}"
    return f"exit code {returncode}"


class EngineProcess:
    """One child. `events` are delivered in their order; the end of the child ends them with EngineDied.

    `enter` is a command that puts itself under a limit and becomes the child (memory_limit.py). `asleep`: threads that wait for
    each other sleep instead of spinning (busy.py).
    """

    def __init__(
        self, *, log_path: str | None, decide: Decide, enter: Sequence[str] = (), asleep: bool = False
    ) -> None:
        self._own_log = log_path is None
        self.log_path = Path(log_path) if log_path else _temporary_log()
        self._log_start = self.log_path.stat().st_size if self.log_path.exists() else 0
        self._decide = decide
        self._events: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._questions: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._process = self._started(enter, asleep=asleep)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._wire = Wire(self._process.stdout, self._process.stdin)
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._read, self._answer)]
        for thread in self._threads:
            thread.start()

    def _started(self, enter: Sequence[str], *, asleep: bool) -> subprocess.Popen[bytes]:
        """The child, its stderr on the log."""
        try:
            with open(self.log_path, "ab") as log:
                return subprocess.Popen(
                    [*enter, sys.executable, "-P", "-m", "cpu_codegen.engine.worker"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    env={**_environment(), **waiting(os.environ, asleep=asleep)},
                    start_new_session=True,
                )
        except OSError as error:
            raise MachineError(
                f"the engine's process cannot be started: {error.strerror or error}",
                remedy="end other programs; the log goes beside the answers, so that folder must be writable",
            ) from None

    @property
    def pid(self) -> int:
        """The child's number."""
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """A command. A child that is gone shows in next()."""
        with contextlib.suppress(WireClosed):
            self._wire.send(message)

    def expect_questions(self) -> None:
        """Has the answering thread get ready now: starting a sandbox takes a second, a question should not wait for it."""
        self._questions.put({"ticket": 0, "code": "", "entry_point": ""})

    def next(self, timeout_s: float | None = None) -> dict[str, Any] | None:
        """The next event; None when none came in time. Raises EngineDied."""
        try:
            # Waits in short turns: on Windows nothing else lets a Ctrl-C through.
            event = self._events.get(timeout=timeout_s if timeout_s is not None else 0.5)
        except queue.Empty:
            return None
        if event is None:
            self._events.put(None)
            raise EngineDied(self._wait(2.0))
        return event

    def log_tail(self) -> str:
        """What this child wrote to the log, at most its last 64 kB."""
        try:
            with open(self.log_path, "rb") as log:
                log.seek(max(self._log_start, self.log_path.stat().st_size - LOG_TAIL_BYTES))
                return log.read().decode("utf-8", errors="replace")
        except OSError:
            return ""

    def close(self) -> None:
        """Ends the child at once: it holds nothing that is worth saving. May be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._wait(5.0)
        self._questions.put(None)
        for thread in self._threads:
            thread.join(2.0)
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        if self._own_log:
            with contextlib.suppress(OSError):
                self.log_path.unlink()

    def _wait(self, timeout_s: float) -> int | None:
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def _read(self) -> None:
        while True:
            try:
                event = self._wire.receive()
            except WireClosed:
                self._events.put(None)
                return
            (self._questions if event["event"] == "asked" else self._events).put(event)

    def _answer(self) -> None:
        while (asked := self._questions.get()) is not None:
            complete = self._decide(asked["code"], asked["entry_point"])
            self.send({"do": "answer", "ticket": asked["ticket"], "complete": complete})


def _environment() -> dict[str, str]:
    paths = [PACKAGE_PARENT, os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PYTHONUNBUFFERED": "1",
        "CPU_CODEGEN_PARENT": str(os.getpid()),
    }


def _temporary_log() -> Path:
    handle, path = tempfile.mkstemp(prefix="cpu-codegen-", suffix=".log")
    os.close(handle)
    return Path(path)
