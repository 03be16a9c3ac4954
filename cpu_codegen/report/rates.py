"""Samples → shares solved: pass@k with its interval, and two sets of samples paired by problem.

Three kinds of samples are told apart. With a verdict that counts; a harness error, which counts for nobody; unknown: begun, but not
finished or not judged yet (outcome None). Leaving the unknown out would leave out the long answers, so they stay in n, and an
interval runs from all of them failed to all of them passed. Not covered: which samples are unknown (unfinished.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cpu_codegen.schema import Outcome
from cpu_codegen.stats import (
    Estimate,
    Interval,
    anytime_mean,
    bootstrap_mean,
    mcnemar_exact,
    mcnemar_interval,
    paired_permutation,
    pass_at_k,
    score_interval,
)

Sample = dict[str, Any]
Verdict = Literal["better", "worse", "no difference"]
Test = Literal["McNemar", "permutation"]
KS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class Paired:
    """`style` minus `baseline` on the problems that both have: difference of pass@1, interval, p. b, c = solved by one alone.

    Interval and p agree: the interval holds 0 whenever p is 0.05 or more. `unknown` problems hold a sample without a verdict.
    """

    suite: str
    style: str
    baseline: str
    n: int
    b: int
    c: int
    difference: Estimate
    p: float
    test: Test
    unknown: int = 0

    @property
    def verdict(self) -> Verdict:
        """No difference while the interval holds 0."""
        if self.difference.low <= 0 <= self.difference.high:
            return "no difference"
        return "better" if self.difference.value > 0 else "worse"


def counts(sample: Sample) -> bool:
    """True when the sample's outcome counts for or against the model."""
    return sample["outcome"] not in (None, Outcome.HARNESS_ERROR)


def scores(samples: Iterable[Sample], k: int = 1, *, unknown: bool | None = None) -> dict[str, float]:
    """pass@k of each problem that has at least k samples. `unknown`: what samples without a verdict count as; None: not at all."""
    tally: dict[str, list[bool]] = {}
    for sample in samples:
        if counts(sample):
            tally.setdefault(sample["problem_id"], []).append(sample["outcome"] == Outcome.PASSED)
        elif sample["outcome"] is None and unknown is not None:
            tally.setdefault(sample["problem_id"], []).append(unknown)
    return {name: pass_at_k(len(flags), sum(flags), k) for name, flags in tally.items() if len(flags) >= k}


def pass_at(samples: Sequence[Sample], wanted: Sequence[int] = KS, *, anytime: bool = False) -> dict[int, Estimate]:
    """pass@k over the problems for each k that every problem has samples for. The value is that of the judged samples.

    `anytime`: an interval for a model that the data themselves stopped (stats/betting.py), wider than the ordinary one.
    """
    interval = _anytime if anytime else score_interval
    found: dict[int, Estimate] = {}
    problems = len(scores(samples, unknown=False))
    for k in wanted:
        known = list(scores(samples, k).values())
        worst, best = (list(scores(samples, k, unknown=passed).values()) for passed in (False, True))
        if known and len(worst) == problems:
            low = interval(worst)
            high = low if worst == best else interval(best)
            found[k] = Estimate(math.fsum(known) / len(known), low.low, high.high, problems)
    return found


def _anytime(values: Sequence[float]) -> Interval:
    return anytime_mean(values).interval


def paired(
    first: Sequence[Sample], second: Sequence[Sample], *, suite: str, style: str, baseline: str
) -> Paired | None:
    """The paired difference of two sets of samples of one suite; None where no problem is judged on both sides.

    One sample per problem: exact McNemar and the interval that agrees with it; more: permutation of signs and bootstrap. The
    unknown count once against the first and for the second, once the other way; p is the less sure one.
    """
    ours, theirs = scores(first), scores(second)
    judged = sorted(ours.keys() & theirs.keys())
    if not judged:
        return None
    worst = _Difference.of(scores(first, unknown=False), scores(second, unknown=True))
    best = _Difference.of(scores(first, unknown=True), scores(second, unknown=False))
    differences = [ours[name] - theirs[name] for name in judged]
    open_sign = worst.mean <= 0 <= best.mean and worst != best
    estimate = Estimate(math.fsum(differences) / len(judged), worst.interval.low, best.interval.high, worst.n)
    return Paired(
        suite=suite,
        style=style,
        baseline=baseline,
        n=worst.n,
        b=sum(d > 0 for d in differences),
        c=sum(d < 0 for d in differences),
        difference=estimate,
        p=1.0 if open_sign else max(worst.p, best.p),
        test=worst.test,
        unknown=len(_unknown(first) | _unknown(second)),
    )


def _unknown(samples: Iterable[Sample]) -> set[str]:
    return {sample["problem_id"] for sample in samples if sample["outcome"] is None}


@dataclass(frozen=True, slots=True)
class _Difference:
    """A mean difference over `n` common problems, its interval, and p of "there is none"."""

    n: int
    mean: float
    interval: Interval
    p: float
    test: Test

    @classmethod
    def of(cls, ours: Mapping[str, float], theirs: Mapping[str, float]) -> _Difference:
        """Of scores per problem."""
        values = [ours[name] - theirs[name] for name in sorted(ours.keys() & theirs.keys())]
        n, mean = len(values), math.fsum(values) / len(values)
        if all(d in (-1.0, 0.0, 1.0) for d in values):
            b, c = sum(d > 0 for d in values), sum(d < 0 for d in values)
            return cls(n, mean, mcnemar_interval(b, c, n), mcnemar_exact(b, c), "McNemar")
        p = paired_permutation(values)
        return cls(n, mean, _agreeing(bootstrap_mean(values), p), p, "permutation")


def _agreeing(drawn: Interval, p: float) -> Interval:
    """Stretched to 0 where the permutation test does not rule 0 out."""
    return drawn if p < 0.05 else Interval(min(drawn.low, 0.0), max(drawn.high, 0.0))
