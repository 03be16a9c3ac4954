"""Peak memory of one call, in a process of its own and never in a timed one.

`growth_bytes` is how far resident memory rose above what it was when the call began, arguments already there. `rss_bytes` and
`byte_seconds` are EffiBench's MU and TMU: the whole process's peak, interpreter included, and the integral of its resident memory
over the call (trapezoids between readings about 1 ms apart, from outside).
"""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.measure.timing import Opener
from cpu_codegen.measure.workload import Rung
from cpu_codegen.sandbox import meters

_EVERY_S = 0.001


@dataclass(frozen=True, slots=True)
class Peak:
    """Memory of one call."""

    growth_bytes: int
    rss_bytes: int
    byte_seconds: float


def peak_of(open_program: Opener, rungs: Sequence[Rung]) -> Peak | None:
    """The peak of a call on the last rung; the first one is called before, so that lazy imports are done.

    None where the kernel will not reset the high-water mark. Raises SessionFailed when the program fails.
    """
    with open_program() as session:
        if len(rungs) > 1:
            session.call(rungs[0].batch)
        with _Curve(session.host_pid) as curve:
            window = session.call(rungs[-1].batch, memory=True)
        if window.peak_growth_bytes is None:
            return None
        integral = curve.integral(window.opened_at, window.opened_at + window.wall_s)
        return Peak(window.peak_growth_bytes, session.peak_rss_bytes(), integral)


class _Curve:
    """Resident memory over time, read by a thread while the call goes on."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._points: list[tuple[float, int]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True, name="memory curve")

    def __enter__(self) -> _Curve:
        self._read()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._read()

    def _watch(self) -> None:
        while not self._over.wait(_EVERY_S):
            self._read()

    def _read(self) -> None:
        found = meters.status(self._pid)
        if found is not None:
            self._points.append((time.perf_counter(), found.rss_bytes))

    def integral(self, begin: float, end: float) -> float:
        """Byte-seconds between two moments, by trapezoids; beyond the first and last reading memory is taken as level."""
        if not self._points:
            return 0.0
        inside = [(at, rss) for at, rss in self._points if begin < at < end]
        before = [rss for at, rss in self._points if at <= begin] or [self._points[0][1]]
        after = [rss for at, rss in self._points if at >= end] or [self._points[-1][1]]
        points = [(begin, before[-1]), *inside, (end, after[0])]
        return sum((t1 - t0) * (m0 + m1) / 2 for (t0, m0), (t1, m1) in itertools.pairwise(points))
