"""What stands beside the bar while answers are generated: tokens per second now, memory, and how long the rest will take."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from cpu_codegen.engine.protocol import Pulse
from cpu_codegen.schema import Generation

WINDOW_S = 10.0
"""`now` is the mean over so many seconds: long enough that a few prompts in between do not make it jump."""

MARK_EVERY_S = 0.25


class Rate:
    """Is told of pulses and of complete samples; the clock starts with it, so make it when the model is loaded.

    Tokens of answers under way count as they are written: the rate moves inside one long answer, too.
    """

    def __init__(self, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total, self._clock = total, clock
        self._done = self._tokens = 0
        self._pulse = Pulse()
        self._open_tokens = 0
        self._peak_rss_bytes = 0
        self._began_s = clock()
        self._marks: deque[tuple[float, int]] = deque([(self._began_s, 0)])

    def add(self, generation: Generation) -> None:
        """One more sample is complete."""
        self._done += 1
        self._tokens += generation.completion_tokens
        self._open_tokens = max(0, self._open_tokens - generation.completion_tokens)
        self._peak_rss_bytes = max(self._peak_rss_bytes, generation.peak_rss_bytes or 0)
        self._mark()

    def feel(self, pulse: Pulse) -> None:
        """How far the engine is."""
        self._pulse, self._open_tokens = pulse, pulse.open_tokens
        self._peak_rss_bytes = max(self._peak_rss_bytes, pulse.peak_rss_bytes or 0)
        self._mark()

    @property
    def nothing(self) -> bool:
        """Whether no sample is complete yet."""
        return self._done == 0

    def note(self) -> str:
        """`1,640 tok/s  61 MB  ETA 0:11`; before the first token how much of the prompts was read."""
        now = self._now()
        speed = _per_second(now) if now > 0 or not self._pulse.prompt_tokens else self._reading()
        return "  ".join(filter(None, (speed, self._memory(), self._eta())))

    def whole(self) -> str:
        """`1,640 tok/s  61 MB`: the mean since the model was loaded, for the end."""
        return "  ".join(filter(None, (_per_second(self._mean()), self._memory())))

    def _mark(self) -> None:
        """One more point of the window. After a crash of the engine the count falls back, and the window begins anew."""
        now_s, tokens = self._clock(), self._tokens + self._open_tokens
        if tokens < self._marks[-1][1]:
            self._marks.clear()
        elif now_s - self._marks[-1][0] < MARK_EVERY_S:
            return
        self._marks.append((now_s, tokens))
        while len(self._marks) > 2 and self._marks[1][0] <= now_s - WINDOW_S:
            self._marks.popleft()

    def _now(self) -> float:
        """Tokens per second over the window."""
        (first_s, first), (last_s, last) = self._marks[0], self._marks[-1]
        return (last - first) / (last_s - first_s) if last_s > first_s else self._mean()

    def _mean(self) -> float:
        return (self._tokens + self._open_tokens) / max(self._clock() - self._began_s, 1e-9)

    def _reading(self) -> str:
        return f"prompts {self._pulse.prompt_tokens:,} tok"

    def _memory(self) -> str:
        return f"{self._peak_rss_bytes / 1e6:,.0f} MB" if self._peak_rss_bytes else ""

    def _eta(self) -> str:
        """Tokens left over the mean rate. An answer is taken to be as long as those so far, one under way to be half done."""
        if not self._done or self._done >= self._total or self._mean() <= 0:
            return ""
        under_way = min(self._pulse.open, self._total - self._done)
        sofar = self._tokens + self._open_tokens
        length = max(self._tokens / self._done, sofar / (self._done + under_way))  # the first to end are the short ones
        return f"ETA {clock_time(length * (self._total - self._done - under_way / 2) / self._mean())}"


def _per_second(rate: float) -> str:
    """Two digits at least: a 30 B model on a small machine writes 0.04 a second."""
    return f"{rate:,.{0 if rate >= 10 else 1 if rate >= 1 else 2}f} tok/s" if rate else "0 tok/s"


def clock_time(seconds: float) -> str:
    """0:11, 12:05, 1:02:05."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
