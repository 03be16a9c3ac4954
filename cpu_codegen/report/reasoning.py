"""What models spent on reasoning, how it ended, and what the answers that were cut off do to pass@1.

An answer is cut off when its reasoning was (by the budget or a loop) or when it was itself (at --max-tokens or by a loop). pass@1
counts all of them as they came out: what never became a program failed. The rate without them is a selection of the easy cases,
labelled so and compared with nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.report.cost import busy_seconds, rated
from cpu_codegen.report.rates import Sample, counts, pass_at
from cpu_codegen.stats import Estimate, wilson

SELECTED = "selected, not comparable"
CUT_ENDS = ("budget", "loop")
CUT_REASONS = ("length", "loop")


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The reasoning of one group of samples. `seconds` are shares of cost_s; `share_of_time` is their part of the busy time.

    `ended`: how many by the model itself, by the budget, by a loop. `cut` answers are cut off; `uncut` is pass@1 without them.
    """

    answers: int
    reasoned: int
    tokens: int
    seconds: float
    share_of_time: float | None
    ended: dict[str, int]
    looped: int
    cut: int
    share_cut: Estimate | None
    uncut: Estimate | None

    def record(self) -> dict[str, Any]:
        """For json; csv and jsonl carry it flat."""
        return {
            "answers": self.reasoned,
            "tokens": self.tokens,
            "seconds": self.seconds,
            "share_of_time": self.share_of_time,
            "ended": self.ended,
            "answers_in_loops": self.looped,
            "cut_off": self.cut,
            "share_cut_off": _record(self.share_cut),
            "pass@1_without_cut_off": _record(self.uncut),
            "pass@1_without_cut_off_is": SELECTED,
        }


def is_cut(sample: Sample) -> bool:
    """Whether the answer or its reasoning was cut off."""
    return sample.get("reasoning_end") in CUT_ENDS or sample.get("finish_reason") in CUT_REASONS


def reasoning_of(samples: Sequence[Sample]) -> Reasoning:
    """Counts, and two rates with their intervals."""
    ends = Counter(s.get("reasoning_end") or "none" for s in samples)
    cut = [s for s in samples if is_cut(s)]
    rest = [s for s in samples if counts(s) and not is_cut(s)]
    busy_s = busy_seconds(rated(samples))
    seconds = math.fsum(s.get("reasoning_s") or 0.0 for s in rated(samples))
    return Reasoning(
        answers=len(samples),
        reasoned=len(samples) - ends["none"],
        tokens=sum(s.get("reasoning_tokens") or 0 for s in samples),
        seconds=seconds,
        share_of_time=seconds / busy_s if busy_s > 0 else None,
        ended={end: ends[end] for end in ("model", "budget", "loop") if ends[end]},
        looped=sum(s.get("finish_reason") == "loop" for s in samples),
        cut=len(cut),
        share_cut=_share(len(cut), len(samples)),
        uncut=pass_at(rest, (1,)).get(1) if cut else None,
    )


def _share(count: int, n: int) -> Estimate | None:
    if not n:
        return None
    interval = wilson(count, n)
    return Estimate(count / n, interval.low, interval.high, n)


def _record(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {"value": estimate.value, "low": estimate.low, "high": estimate.high, "n": estimate.n}
