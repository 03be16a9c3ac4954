"""When a command has to be done: `--max-hours H` and `--until HH:MM`, as seconds left.

Covered: reading both, the clock that leaves suspended time out. Not covered: what is given up for it (columns/generate.py stops
beginning samples, campaign_rounds.py chooses the blocks).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cpu_codegen.errors import UsageError

LONGEST_H = 24.0 * 366
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True, slots=True)
class Deadline:
    """`total_s` seconds from `began_s` on `clock`; `minus_s` are kept for what others have to do after this part."""

    total_s: float
    clock: Callable[[], float] = time.monotonic
    began_s: float = field(default_factory=time.monotonic)
    minus_s: float = 0.0

    def left_s(self) -> float:
        """Seconds left, negative when it has passed."""
        return self.began_s + self.total_s - self.minus_s - self.clock()

    def less(self, seconds: float) -> Deadline:
        """The same moment, `seconds` earlier."""
        return Deadline(self.total_s, self.clock, self.began_s, self.minus_s + seconds)


def deadline(max_hours: float | None, until: str | None, *, now: datetime | None = None) -> Deadline | None:
    """The earlier of the two; None without either. UsageError for what is no time."""
    found = []
    if max_hours is not None:
        if not (math.isfinite(max_hours) and 0 < max_hours <= LONGEST_H):
            raise UsageError(f"--max-hours {max_hours:g} is no time", remedy="--max-hours 8, or 0.5")
        # the monotonic clock stands still while Linux and macOS sleep
        found.append(Deadline(max_hours * 3600.0))
    if until is not None:
        left_s = seconds_until(until, now or datetime.now())
        found.append(Deadline(left_s, time.time, time.time()))
    return min(found, key=Deadline.left_s, default=None)


def seconds_until(text: str, now: datetime) -> float:
    """From `now` (local, naive) to the next HH:MM; a day whose clock jumps is as long as it is."""
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"--until {text!r} is no time of day", remedy="--until 07:30 (24 hours, local)")
    then = now.replace(hour=int(match[1]), minute=int(match[2]), second=0, microsecond=0)
    if then <= now:
        then += timedelta(days=1)
    return then.timestamp() - now.timestamp()
