"""Which request goes to the server next, and who pays for the time in which it works: what the served engine's threads share."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable

from cpu_codegen.engine.protocol import TimeLimit
from cpu_codegen.schema import Generation, Request


class Waiting:
    """The requests in their order. Under a time limit one is given out only while it can end in time at the speed seen so far."""

    def __init__(self, requests: Iterable[Request], within: TimeLimit | None) -> None:
        self._requests = deque(requests)
        self._within = within
        self._lock = threading.Lock()
        self._open: set[str] = set()
        self._begun = 0
        self._token_s = 0.0

    @property
    def left(self) -> int:
        """How many were not given out."""
        return len(self._requests)

    def take(self) -> Request | None:
        """The next one; None when there is none, or no time for it."""
        with self._lock:
            if not self._requests or not self._fits(self._requests[0]):
                return None
            request = self._requests.popleft()
            self._open.add(request.key)
            self._begun += 1
            return request

    def _fits(self, request: Request) -> bool:
        if self._within is None:
            return True
        left_s = self._within.left_s() - self._within.each_s * (self._begun + 1)
        return left_s > max(self._token_s * request.max_tokens, 0.0)

    def ended(self, generation: Generation) -> None:
        """The slowest seconds per token so far, prompts included, are what the next ones are expected to take."""
        with self._lock:
            self._open.discard(generation.key)
            if generation.completion_tokens:
                seconds = (generation.prefill_s + generation.decode_s) / generation.completion_tokens
                self._token_s = max(self._token_s, seconds)

    def cut(self) -> None:
        """Time is up: what is open will not end."""
        with self._lock:
            self._requests.clear()
            if self._within is not None:
                self._within.late.extend(sorted(self._open))


class Shares:
    """Wall time, and energy where there is a counter, shared equally among the requests that are open."""

    def __init__(
        self, joules: Callable[[], float] | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._joules, self._clock = joules, clock
        self._lock = threading.Lock()
        self._open: dict[str, list[float]] = {}
        self._mark_s = self._mark_j = 0.0

    def enter(self, key: str) -> None:
        """A request is sent."""
        with self._lock:
            self._share()
            self._open[key] = [0.0, 0.0]

    def leave(self, key: str) -> tuple[float, float | None]:
        """It ended: its seconds and joules (None = no counter)."""
        with self._lock:
            self._share()
            seconds, joules = self._open.pop(key)
        return seconds, joules if self._joules is not None else None

    def _share(self) -> None:
        now_s = self._clock()
        now_j = self._joules() if self._joules is not None else 0.0
        for share in self._open.values():
            share[0] += (now_s - self._mark_s) / len(self._open)
            share[1] += (now_j - self._mark_j) / len(self._open)
        self._mark_s, self._mark_j = now_s, now_j
