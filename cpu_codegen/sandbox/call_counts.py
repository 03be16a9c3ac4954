"""How often a test calls the canonical solution: a program that passes was called as often, or the test did not run to its end.

Values that cross are exact built-in types, so that no program we know of can end a test early without failing it; this holds
should one be found. A test of asserts decides by itself how often it calls, and the first pass of a task counts that once.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace

from cpu_codegen.counts import count_of
from cpu_codegen.schema import AssertTask, Execution, Outcome


class CallCounts:
    """Of the tasks seen so far; shared by all workers."""

    def __init__(self) -> None:
        self._counts: dict[AssertTask, int | None] = {}
        self._locks: defaultdict[AssertTask, threading.Lock] = defaultdict(threading.Lock)

    def of(self, task: AssertTask, count: Callable[[], int | None]) -> int | None:
        """Counted once by `count`; None where the canonical solution does not pass here, so that nothing can be said."""
        with self._locks[task]:
            if task not in self._counts:
                self._counts[task] = count()
            return self._counts[task]


def checked(execution: Execution, calls: int, expected: int | None) -> Execution:
    """A pass with another number of calls than the canonical solution's is none."""
    if execution.outcome is not Outcome.PASSED or expected in (None, calls):
        return execution
    message = f"the test called the program {count_of(calls, 'time')}, the canonical solution {expected}"
    return replace(execution, outcome=Outcome.WRONG, detail="calls", message=message, tests_passed=0)
