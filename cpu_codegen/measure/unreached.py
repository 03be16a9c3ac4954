"""Lines of a program's functions that no test executes: dead branches, helpers that are never called.

The program runs once more over the suite's tests, under the interpreter's line tracer, in the sandbox and in no timed process.
Module level is left out: it runs at load. What the tracer says comes from the program's own process, so a program could forge
it; it decides nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.sandbox import Session, SessionFailed

Encoded = Any
Open = Callable[[str], Session]
"""Opens a process with a program's text loaded."""

SECONDS = 2.0  # per program; a tracer slows code down some ten times
_PER_CALL = 50
_MOST_LINES = 10_000

_TRACED = """
def _trace_answer(source, entry_point):
    import sys
    code = compile(source, "<answer>", "exec", dont_inherit=True, optimize=0)
    left = set()

    def collect(code):
        for inner in code.co_consts:
            if hasattr(inner, "co_lines"):
                left.update(line for _, _, line in inner.co_lines() if line)
                collect(inner)

    def trace(frame, event, argument):
        if frame.f_code.co_filename != "<answer>":
            return None
        left.discard(frame.f_lineno)
        return trace

    def traced(function, *args):
        sys.settrace(trace)
        try:
            return function(*args)
        finally:
            sys.settrace(None)

    def drained(*args):
        output = space[entry_point](*args)
        return list(output) if hasattr(type(output), "__next__") else output

    def lines_left(*args):
        traced(drained, *args)
        return sorted(left)

    collect(code)
    space = {"__name__": __name__}
    traced(exec, code, space)
    return lines_left

"""


@dataclass(frozen=True, slots=True)
class Unreached:
    """Line numbers (from 1) that none of the `tests` executed."""

    lines: tuple[int, ...]
    tests: int


def traced_text(code: str, entry_point: str) -> str:
    """The program with a tracer around it; its entry point then returns the lines that are still left."""
    return f"{_TRACED}{entry_point} = _trace_answer({code!r}, {entry_point!r})\n"


def unreached(
    open_text: Open, code: str, entry_point: str, tests: Sequence[Encoded], *, budget_s: float = SECONDS
) -> Unreached | None:
    """What is left when all tests were called, or the time is over. None where the program cannot be traced."""
    ends = time.monotonic() + budget_s
    left: list[int] | None = None
    done = 0
    try:
        with open_text(traced_text(code, entry_point)) as session:
            while done < len(tests) and left != [] and time.monotonic() < ends:
                batch = tests[done : done + _PER_CALL]
                left = _line_numbers(session.call(batch, fetch=True).outputs)
                done += len(batch)
    except SessionFailed:
        return None
    return None if left is None else Unreached(tuple(left), done)


def _line_numbers(outputs: list[Encoded] | None) -> list[int] | None:
    """The last output, if it is what the tracer returns: it comes from a process that we do not trust."""
    last = outputs[-1] if outputs else None
    if not isinstance(last, list) or len(last) > _MOST_LINES or any(type(line) is not int for line in last):
        return None
    return last
