"""multiprocessing's locks for a program that is and stays one process: made of its threads' own.

The real ones are named files in shared memory, which nothing here may make; without them not even pools of threads work
(multiprocessing.pool.ThreadPool, multiprocessing.dummy). Not covered: other processes, which cannot be started here.
"""

from __future__ import annotations

import sys
import types
from typing import Any

_RECURSIVE = 0  # the kind of an RLock; 1 is a semaphore's and a plain lock's


class SemLock:
    """As `_multiprocessing.SemLock`, of which multiprocessing.synchronize makes Lock, RLock, Semaphore and Condition."""

    SEM_VALUE_MAX = (1 << 31) - 1

    def __init__(self, kind: int, value: int, maxvalue: int, name: str, unlink: bool) -> None:
        import threading  # here: it costs every fork of a process that has it

        self.kind, self.maxvalue, self.handle = kind, maxvalue, 0
        self.name = None  # there is no file that would have to be removed
        self._value = value
        self._owner, self._count_held = 0, 0
        self._changed = threading.Condition(threading.Lock())
        self._me = threading.get_ident

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """False when it is not free in time."""
        if self.kind == _RECURSIVE and self._is_mine():
            self._count_held += 1
            return True
        with self._changed:
            if not self._changed.wait_for(lambda: self._value > 0, timeout if block else 0.0):
                return False
            self._value -= 1
            self._owner, self._count_held = self._me(), self._count_held + 1
        return True

    def release(self) -> None:
        """Makes room for one who waits."""
        if self.kind == _RECURSIVE:
            if not self._is_mine():
                raise AssertionError("attempt to release recursive lock not owned by thread")
            if self._count_held > 1:
                self._count_held -= 1
                return
        with self._changed:
            if self._value >= self.maxvalue:
                raise ValueError("semaphore or lock released too many times")
            self._value, self._count_held = self._value + 1, self._count_held - 1
            self._changed.notify()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()

    def _count(self) -> int:
        return self._count_held

    def _is_mine(self) -> bool:
        return self._count_held > 0 and self._owner == self._me()

    def _get_value(self) -> int:
        return self._value

    def _is_zero(self) -> bool:
        return self._value == 0

    def _after_fork(self) -> None:
        """There is no fork."""


def install() -> None:
    """From now on multiprocessing finds these."""
    module: Any = types.ModuleType("_multiprocessing")
    module.SemLock = SemLock
    module.sem_unlink = lambda name: None
    module.flags = {}
    sys.modules["_multiprocessing"] = module
