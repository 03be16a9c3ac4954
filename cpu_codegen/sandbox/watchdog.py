"""Kills programs that use more memory than they may, where the system has no limit for that (macOS). Untried there.

Polls every 20 ms; a program may exceed its limit by what it can touch in that time. Linux uses rlimits and starts no watchdog.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

POLL_S = 0.02


class Watchdog:
    """One thread that looks at living children. `read` gives a pid's memory in bytes, or raises ProcessLookupError."""

    def __init__(self, read: Callable[[int], int], kill: Callable[[int], None]) -> None:
        self._read = read
        self._kill = kill
        self._limits: dict[int, int] = {}
        self._changed = threading.Condition()
        self._is_closed = False
        threading.Thread(target=self._run, daemon=True, name="memory watchdog").start()

    def watch(self, pid: int, limit_bytes: int) -> None:
        """From now on, until `forget`."""
        with self._changed:
            self._limits[pid] = limit_bytes
            self._changed.notify()

    def forget(self, pid: int) -> None:
        """Before the pid can be another process's."""
        with self._changed:
            self._limits.pop(pid, None)

    def close(self) -> None:
        """Ends the thread."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._limits and not self._is_closed:
                    self._changed.wait()
                if self._is_closed:
                    return
                for pid, limit in list(self._limits.items()):
                    self._look(pid, limit)
                self._changed.wait(POLL_S)

    def _look(self, pid: int, limit: int) -> None:
        """Under the lock, so that the pid is still the child's."""
        try:
            if self._read(pid) > limit:
                self._kill(pid)
                del self._limits[pid]
        except ProcessLookupError:
            del self._limits[pid]
