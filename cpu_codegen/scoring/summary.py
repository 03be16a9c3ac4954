"""Records of a scoring → pass@k with intervals, and the outcomes. Several samples of a problem count as one score."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from cpu_codegen.stats import Interval, pass_at_k, score_interval


@dataclass(frozen=True, slots=True)
class PassRate:
    """pass@k over the problems that have at least k samples. `tests`: "base", "plus" (base and plus), or "all"."""

    tests: str
    k: int
    value: float
    interval: Interval
    problems: int


@dataclass(slots=True)
class Tally:
    """What is kept of each record: counts per problem."""

    samples: Counter[str] = field(default_factory=Counter)
    correct: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, record: dict[str, Any]) -> None:
        """One more record; a harness error is neither right nor wrong."""
        self.outcomes[record["outcome"]] += 1
        if record["outcome"] == "harness_error":
            return
        self.samples[record["task_id"]] += 1
        if record["base_status"] is None:
            self.correct["all"][record["task_id"]] += record["outcome"] == "passed"
            return
        self.correct["base"][record["task_id"]] += record["base_status"] == "pass"
        self.correct["plus"][record["task_id"]] += record["base_status"] == record["plus_status"] == "pass"

    def rates(self, ks: Sequence[int] = (1, 10, 100)) -> list[PassRate]:
        """pass@k for each k that every sampled problem has samples enough for, as EvalPlus does."""
        fewest = min(self.samples.values(), default=0)
        return [
            rate
            for tests, correct in self.correct.items()
            for k in ks
            if k <= fewest
            for rate in [self._rate(tests, correct, k)]
        ]

    def _rate(self, tests: str, correct: Counter[str], k: int) -> PassRate:
        scores = [pass_at_k(self.samples[task_id], passed, k) for task_id, passed in correct.items()]
        return PassRate(tests, k, sum(scores) / len(scores), score_interval(scores), len(scores))
