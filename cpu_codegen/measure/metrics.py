"""Metrics of the literature over records of efficiency.jsonl, pure; docs/metrics.md says what each means and does not.

    mean_ratio       ours: geometric mean over problems of CPU time over the reference's, censored values as bounds
    effibench        ET, MU, TMU, NET, NMU, NTMU (Huang et al. 2024), and the last three as geometric means
    eff_at_k         ENAMEL's eff@k (Qiu et al. 2025): wrong answers count 0, time-outs are censored, samples unbiased
    beyond           Mercury's Beyond (Du et al. 2024), between the naive solution and the reference
    standing         the same place on a logarithmic scale (in the manner of EvalPerf's DPS): 0 = naive, 1 = reference

A record is a dict as columns/measure.py writes it. Samples of one problem are averaged before problems are. None = not measured.

Where wrong answers score 0 (eff@k, Beyond), which right answers could be timed must not decide how much the wrong ones weigh: a
problem none of whose right answers has a score is left out, and of the problems that nobody solved as large a share (mean_score).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cpu_codegen.stats import FEWEST_PROBLEMS, Estimate, geometric_mean, ratio_of_sums, score_interval

Record = Mapping[str, Any]
ENAMEL_ALPHA = 2.0
ENAMEL_WEIGHTS = (3.0, 3.0, 4.0)
_MB = 1e6


@dataclass(frozen=True, slots=True)
class MeanRatio:
    """A geometric mean over problems. With `censored` > 0 it is a lower bound: those programs ran into the limit."""

    estimate: Estimate | None
    problems: int
    censored: int
    left_out: int


def has_ratio(record: Record) -> bool:
    """Does the record carry a ratio that may be averaged?"""
    ratio = record.get("cpu_ratio")
    return record["status"] in ("measured", "disturbed", "censored") and ratio is not None and ratio["value"] > 0


def mean_ratio(records: Sequence[Record]) -> MeanRatio:
    """CPU time over the reference's; records without a ratio are counted, never averaged in."""
    used = [record for record in records if has_ratio(record)]
    means = list(per_problem(used, lambda record: math.log(record["cpu_ratio"]["value"])).values())
    estimate = geometric_mean([math.exp(mean) for mean in means]) if means else None
    censored = sum(record["status"] == "censored" for record in used)
    return MeanRatio(estimate, len(means), censored, len(records) - len(used))


def speed_verdict(ratio: Estimate | None) -> Literal["slower", "faster", "no difference", ""]:
    """What a geometric mean over problems says; "" without one or its interval, and where that excludes 1 over too few problems."""
    if ratio is None or math.isinf(ratio.high):
        return ""
    if ratio.low <= 1.0 <= ratio.high:
        return "no difference"
    if ratio.n < FEWEST_PROBLEMS:
        return ""
    return "slower" if ratio.low > 1 else "faster"


def per_problem(records: Iterable[Record], value: Callable[[Record], float | None]) -> dict[str, float]:
    """The mean of a value over the samples of each problem that have one."""
    found: dict[str, list[float]] = {}
    for record in records:
        one = value(record)
        if one is not None:
            found.setdefault(record["problem_id"], []).append(one)
    return {problem: math.fsum(values) / len(values) for problem, values in found.items()}


# ── EffiBench ────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class EffiBench:
    """EffiBench's six figures; `net`, `nmu`, `ntmu` are ratios of sums, as it prints them, `*_geometric` means of ratios."""

    et_s: float
    mu_mb: float
    tmu_mb_s: float
    net: float
    nmu: float
    ntmu: float
    net_geometric: Estimate
    nmu_geometric: Estimate
    ntmu_geometric: Estimate
    problems: int


_EFFIBENCH = (
    ("wall_s", "reference_wall_s", 1.0),
    ("rss_bytes", "reference_rss_bytes", _MB),
    ("rss_byte_seconds", "reference_rss_byte_seconds", _MB),
)


def effibench(records: Sequence[Record]) -> EffiBench | None:
    """Over the problems with time and memory of both programs; None where there is none.

    ET is the call alone (no interpreter start, no imports), so that NET is not pressed to 1 as EffiBench's is.
    """
    names = [name for own, theirs, _ in _EFFIBENCH for name in (own, theirs)]
    whole = [r for r in records if r["status"] in ("measured", "disturbed") and all(r.get(name) for name in names)]
    if not whole:
        return None
    means: list[float] = []
    ratios: list[float] = []
    geometric: list[Estimate] = []
    for own, theirs, unit in _EFFIBENCH:
        mine, reference = per_problem(whole, _field(own)), per_problem(whole, _field(theirs))
        means.append(math.fsum(mine.values()) / len(mine) / unit)
        ratios.append(math.fsum(mine.values()) / math.fsum(reference.values()))
        geometric.append(geometric_mean([mine[problem] / reference[problem] for problem in mine]))
    (et, mu, tmu), (net, nmu, ntmu), (net_g, nmu_g, ntmu_g) = means, ratios, geometric
    return EffiBench(et, mu, tmu, net, nmu, ntmu, net_g, nmu_g, ntmu_g, problems=net_g.n)


def _field(name: str) -> Callable[[Record], float | None]:
    return lambda record: record[name]


# ── ENAMEL ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def enamel_score(record: Record) -> float | None:
    """e of an answer that passed, in [0, 1]: Σ h_l f_l / Σ h_l, f_l = max(0, T - t_l) / (T - ref_l), T = 2 max ref, clamped to 1.

    A size that was not reached in time scores 0; a record without times has no score. The reference's times are those taken beside
    the program's where there are such, else its one call while scouting.
    """
    ladder, reference = record.get("ladder"), record.get("reference_ladder_s")
    if not reference or ladder is None:
        return None
    limit = ENAMEL_ALPHA * max([*(rung["reference_cpu_s"] for rung in ladder), *reference[len(ladder) :]])
    weights = ENAMEL_WEIGHTS[-len(reference) :]  # of more sizes the largest three count
    scores = [_level_score(mine["cpu_s"], mine["reference_cpu_s"], limit) for mine in ladder]
    scores += [0.0] * (len(reference) - len(scores))
    return math.fsum(w * f for w, f in zip(weights, scores[-len(weights) :], strict=True)) / math.fsum(weights)


def _level_score(cpu_s: float, reference_s: float, limit_s: float) -> float:
    if reference_s >= limit_s:
        return 0.0
    return min(1.0, max(0.0, limit_s - cpu_s) / (limit_s - reference_s))


def eff_at_k(scores: Sequence[float], k: int) -> float:
    """The expected best score of k of the n samples: Σ_{r=k..n} C(r-1, k-1) / C(n, k) · e_(r), scores sorted up (ENAMEL)."""
    n = len(scores)
    if not 1 <= k <= n:
        raise ValueError(f"eff@{k} of {n} samples is not defined")
    total = 0.0
    # from the best down: its weight is C(n-1, k-1) / C(n, k) = k / n, the next ones follow by ratios
    weight = k / n
    for rank, score in zip(range(n, k - 1, -1), sorted(scores, reverse=True), strict=False):
        total += weight * score
        if rank > 1:
            weight *= (rank - k) / (rank - 1)
    return total


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one problem: scores of the right ones that have one, how many right ones have none, how many are wrong."""

    scores: tuple[float, ...] = ()
    unscored: int = 0
    wrong: int = 0

    def __len__(self) -> int:
        return len(self.scores) + self.unscored + self.wrong

    @property
    def is_solved(self) -> bool:
        """True when one of them passed."""
        return len(self) > self.wrong

    def all_scores(self) -> list[float]:
        """Of all answers: 0 for wrong ones, and the others' mean for right ones without a score."""
        mean = math.fsum(self.scores) / len(self.scores) if self.scores else 0.0
        return [*self.scores, *[mean] * self.unscored, *[0.0] * self.wrong]


def mean_score(problems: Sequence[Answers], of: Callable[[Sequence[float]], float]) -> Estimate | None:
    """The mean over problems of `of` (a problem's scores in [0, 1]); None where right answers have no score.

    Solved problems without a scored answer are left out; those that nobody solved stand for the same share of themselves.
    """
    solved = [answers for answers in problems if answers.is_solved]
    scored = [answers for answers in solved if answers.scores]
    if not problems or (solved and not scored):
        return None
    share = len(scored) / len(solved) if solved else 1.0
    kept = [answers for answers in problems if answers.scores or not answers.is_solved]
    values = [of(answers.all_scores()) for answers in kept]
    if share == 1.0 or len(scored) == len(kept):
        return _mean(values)
    weights = [1.0 if answers.scores else share for answers in kept]
    found = ratio_of_sums([value * weight for value, weight in zip(values, weights, strict=True)], weights)
    return Estimate(found.value, _clamped(found.low), _clamped(found.high), found.n)


def mean_eff_at_k(problems: Sequence[Answers], k: int) -> Estimate | None:
    """eff@k over problems that have k answers."""
    return mean_score([answers for answers in problems if len(answers) >= k], lambda scores: eff_at_k(scores, k))


# ── places between naive and reference ───────────────────────────────────────────────────────────────────────────────


def beyond(record: Record) -> float | None:
    """Mercury's Beyond of an answer that passed: clamp((naive - t) / (naive - reference), 0, 1), the range of runtimes being ours.

    No value where naive was not timed at that size or is not slower by a fifth.
    """
    ends = _ends(record)
    return None if ends is None else _clamped((ends[0] - ends[2]) / (ends[0] - ends[1]))


def standing(record: Record) -> float | None:
    """The same place on a logarithmic scale, of an answer that passed: 1 = as fast as the reference, 0 = as slow as naive."""
    ends = _ends(record)
    if ends is None:
        return None
    naive, reference, mine = map(math.log, ends)
    return _clamped((naive - mine) / (naive - reference))


def _ends(record: Record) -> tuple[float, float, float] | None:
    naive, reference, mine = record.get("naive_cpu_s"), record.get("reference_cpu_s"), record.get("cpu_s")
    if not naive or not reference or not mine or naive < 1.2 * reference:
        return None
    return naive, reference, mine


def _clamped(value: float) -> float:
    return min(1.0, max(0.0, value))


def mean_over_problems(records: Sequence[Record], value: Callable[[Record], float | None]) -> Estimate | None:
    """A mean over problems of a value in [0, 1], with the interval of such means; None where no record has the value."""
    return _mean(list(per_problem(records, value).values()))


def _mean(values: list[float]) -> Estimate | None:
    """Of values in [0, 1]; nothing is known beyond these ends, so the interval of a single value is all of them."""
    if not values:
        return None
    value = math.fsum(values) / len(values)
    if len(values) == 1:
        return Estimate(value, 0.0, 1.0, 1)
    interval = score_interval(values)
    return Estimate(value, interval.low, interval.high, len(values))


def mean_instructions(records: Sequence[Record]) -> Estimate | None:
    """The geometric mean over problems of instructions over the reference's, where they were counted."""
    counted = [r for r in records if r.get("instructions") and r.get("reference_instructions")]
    means = per_problem(counted, lambda r: math.log(r["instructions"] / r["reference_instructions"]))
    return geometric_mean([math.exp(mean) for mean in means.values()]) if means else None
