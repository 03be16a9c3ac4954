"""One loaded program and one window of it: CPU time per pass, with as many passes as the clock needs.

A process's CPU clock read from outside is good to some 50 µs, so a window shorter than 2 ms would press every ratio to 1;
short calls are therefore repeated inside one window. Not covered: comparing (blocks.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.workload import Rung
from cpu_codegen.sandbox import Measured, Session

WINDOW_S = 0.002
MAX_PASSES = 500
_MAX_DECODED_BYTES = 8 << 20

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
    """Times one program; remembers per rung how many passes fill a window."""

    open: Opener
    company: Company
    passes: dict[int, int] = field(default_factory=dict)

    def time(self, session: Session, rung: Rung) -> Pass:
        """One window of an open session."""
        count = self.passes.get(rung.number, 1)
        window = session.call(rung.batch, repeats=count)
        return self._per_pass(window, count)

    def calibrate(self, session: Session, rung: Rung, *, fetch: bool = False) -> tuple[Pass, list[Any] | None]:
        """One window of a single pass, which decides how many passes later windows take. Its outputs, if asked for."""
        window = session.call(rung.batch, fetch=fetch)
        wanted = math.ceil(WINDOW_S / max(window.cpu_s, 1e-6))
        allowed = max(1, min(MAX_PASSES, _MAX_DECODED_BYTES // max(rung.bytes, 1)))
        self.passes[rung.number] = min(wanted, allowed)
        return self._per_pass(window, 1), window.outputs

    def _per_pass(self, window: Measured, count: int) -> Pass:
        disturbed = self.company.disturbed(window)
        instructions = None if window.instructions is None else window.instructions / count
        return Pass(window.cpu_s / count, window.wall_s / count, disturbed, window.outside_cpu_s, instructions)
