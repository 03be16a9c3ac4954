"""One loaded program and one window of it: CPU time per pass, with as many passes as the clock needs.

Reading a process's CPU clock from outside costs it some 50 µs, so a window shorter than 2 ms would press every ratio to 1;
short calls are therefore repeated inside one window. That would flatter a program which keeps results between calls (a cache at
module level, a mutable default): only its first call is work, so it is found out and compared by first calls. Not covered:
comparing (blocks.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.workload import Rung
from cpu_codegen.sandbox import Measured, Session

WINDOW_S = 0.002
MAX_PASSES = 500
_MAX_DECODED_BYTES = 8 << 20
_TICK_S = 1e-9  # a clock may stand still, and ratios are taken by their logarithms
_STEP = 50.0  # passes grow at most so many times from one calibrating window to the next
_REMEMBERED = 5.0  # a first call that costs so many times a later one …
_REMEMBERED_S = 3e-4  # … and so much more: no cold cache of the processor's does that

Opener = Callable[[], Session]
"""Opens a fresh process with the program loaded; raises SessionFailed when the program will not load."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a rung's batch, as the mean of a window's passes."""

    cpu_s: float
    wall_s: float
    disturbed: bool
    outside_cpu_s: float
    instructions: float | None = None


@dataclass(slots=True)
class Timer:
    """Times one program; knows per rung how many passes fill a window, and where calls after the first are no work."""

    open: Opener
    company: Company
    passes: dict[int, int] = field(default_factory=dict)
    remembering: set[int] = field(default_factory=set)

    def time(self, session: Session, rung: Rung) -> Pass:
        """One window of an open session."""
        count = self.passes.get(rung.number, 1)
        window = session.call(rung.batch, repeats=count)
        return self._per_pass(window, count)

    def calibrate(self, session: Session, rung: Rung, *, fetch: bool = False) -> tuple[Pass, list[Any] | None]:
        """What a pass costs, from windows that grow until the clock can tell; decides how many passes later windows take.

        Gives the first call's outputs, if asked for. Of a program that keeps results, the first call is what a pass costs.
        """
        window = session.call(rung.batch, fetch=fetch)
        first = found = self._per_pass(window, 1)
        allowed = max(1, min(MAX_PASSES, _MAX_DECODED_BYTES // max(rung.bytes, 1)))
        count = 1
        while count < allowed and found.cpu_s * count < WINDOW_S / 2:
            more = min(_STEP, WINDOW_S / max(found.cpu_s * count, 1e-6))
            count = min(allowed, math.ceil(count * more))
            found = self._per_pass(session.call(rung.batch, repeats=count), count)
        if costs_more(first, found):
            self.remembering.add(rung.number)
            self.passes[rung.number] = 1
            return first, window.outputs
        self.passes[rung.number] = min(allowed, math.ceil(WINDOW_S / max(found.cpu_s, 1e-6)))
        return found, window.outputs

    def of_first_calls(self) -> Timer:
        """The same program, one pass a window: for processes that are called once."""
        return replace(self, passes={})

    def _per_pass(self, window: Measured, count: int) -> Pass:
        disturbed = self.company.disturbed(window)
        instructions = None if window.instructions is None else window.instructions / count
        cpu_s, wall_s = max(window.cpu_s, _TICK_S), max(window.wall_s, _TICK_S)
        return Pass(cpu_s / count, wall_s / count, disturbed, window.outside_cpu_s, instructions)


def costs_more(first: Pass, later: Pass) -> bool:
    """Did a program do in its first call what it need not do again?"""
    return first.cpu_s > _REMEMBERED * later.cpu_s + _REMEMBERED_S
