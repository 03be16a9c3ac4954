"""Two sets of samples on the problems that both have: correctness, tokens, seconds, energy, memory, efficiency of the code.

Paired throughout: a problem is compared with itself, and the interval is over problems. Differences are other minus baseline,
ratios other over baseline. A verdict needs its interval to rule "the same" out, and a test (McNemar, or signs permuted over
problems) to agree, because a bootstrap of few problems is too sure of itself. Not covered: may these runs be compared at all
(compare_factors.py), how it is shown (compare_tables.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cpu_codegen.compare_bought import Bought, bought
from cpu_codegen.counts import count_of
from cpu_codegen.measure.metrics import has_ratio
from cpu_codegen.report.cost import rated
from cpu_codegen.report.rates import paired, pass_at, scores
from cpu_codegen.schema import Outcome
from cpu_codegen.stats import Estimate, detectable_difference, geometric_mean, paired_permutation

Sample = dict[str, Any]
Verdict = Literal["better", "worse", "no_difference"]
Kind = Literal["difference", "ratio"]
SIGNIFICANT = 0.05
_READING_SPREAD = 0.02  # two readings of one program's peak memory differ by less


@dataclass(frozen=True, slots=True)
class Metric:
    """One line of a comparison. `estimate` is None where there is nothing to compare; `note` says why, or what to know.

    Of a "difference" larger is better (share of problems solved), of a "ratio" smaller is (what it costs). `p` is that of "the
    same"; `corrected_p` where it is one of several comparisons (Holm).
    """

    name: str
    kind: Kind
    estimate: Estimate | None
    verdict: Verdict | None
    note: str = ""
    p: float | None = None
    corrected_p: float | None = None


@dataclass(frozen=True, slots=True)
class Pairing:
    """Other against baseline on `problems` common problems; `gained` and `lost` are problems solved by one alone."""

    problems: int
    gained: int
    lost: int
    metrics: tuple[Metric, ...]
    bought: Bought | None = None

    def metric(self, name: str) -> Metric:
        """A metric by name."""
        return next(metric for metric in self.metrics if metric.name == name)

    @property
    def correctness(self) -> Metric:
        """pass@1, which always comes first."""
        return self.metrics[0]


def pair(baseline: Sequence[Sample], other: Sequence[Sample], *, why_no_energy: str = "no readable counter") -> Pairing:
    """Compares two lists of samples of one suite; harness errors count on neither side, samples without a verdict are unknown."""
    first, second = _by_problem(baseline), _by_problem(other)
    common = sorted(first.keys() & second.keys())
    ours = [sample for problem in common for sample in second[problem]]
    theirs = [sample for problem in common for sample in first[problem]]
    correctness, gained, lost = _correctness(theirs, ours, len(common))
    costs = (
        _cost("tokens", theirs, ours, lambda s: s.get("completion_tokens")),
        _cost("seconds", theirs, ours, cost_s, note=_about_seconds(theirs, ours), missing=_no_seconds(theirs, ours)),
        _cost("energy", theirs, ours, energy_j, missing=f"not measured: {why_no_energy}"),
        _peak_memory(rated(theirs), rated(ours)),
        _code_time(theirs, ours),
    )
    spent = tuple(means(samples, cost_s) for samples in (theirs, ours))
    deal = bought((scores(theirs), scores(ours)), (spent[0], spent[1]))
    return Pairing(len(common), gained, lost, (correctness, *costs), deal)


def cost_s(sample: Sample) -> float | None:
    """A sample's seconds; None where they are those of a run of another width (contracts §6)."""
    return None if sample.get("other_width") else sample.get("cost_s")


def energy_j(sample: Sample) -> float | None:
    """A sample's joules; None where they are those of a run of another width."""
    return None if sample.get("other_width") else sample.get("energy_j")


def _by_problem(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample["outcome"] != Outcome.HARNESS_ERROR:
            found.setdefault(sample["problem_id"], []).append(sample)
    return found


def _correctness(baseline: list[Sample], other: list[Sample], n: int) -> tuple[Metric, int, int]:
    found = paired(other, baseline, suite="", style="", baseline="")
    if found is None:
        return Metric("pass@1", "difference", None, None, "no problem in common"), 0, 0
    verdict = verdict_of(found.difference, "difference", found.p)
    note = f"{_unknown(found.unknown)}{_power(n)}"
    return Metric("pass@1", "difference", found.difference, verdict, note, found.p), found.b, found.c


def _unknown(problems: int) -> str:
    """Why an interval is wider than its n would make it."""
    hold = count_of(problems, "problem holds", "problems hold")
    return f"{hold} unknown answers, counted both ways; " if problems else ""


def _power(n: int) -> str:
    seen = detectable_difference(n)
    if seen is None:
        return f"{count_of(n, 'problem is', 'problems are')} too few to show a difference"
    return f"{n} problems show differences of {seen:.0%} or more in 4 of 5 cases (where 3 in 10 verdicts differ)"


def verdict_of(estimate: Estimate, kind: Kind, p: float) -> Verdict:
    """No difference while the interval holds 0 (of a difference) or 1 (of a ratio), or p is not under 5 %."""
    same = 0.0 if kind == "difference" else 1.0
    if same in estimate.interval or p >= SIGNIFICANT:
        return "no_difference"
    return "better" if (estimate.value > same) == (kind == "difference") else "worse"


def means(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> dict[str, float]:
    """The mean of a value over the samples of each problem; problems where a sample lacks it are left out."""
    found: dict[str, list[float | None]] = {}
    for sample in samples:
        found.setdefault(sample["problem_id"], []).append(value(sample))
    return {
        problem: math.fsum(known) / len(known)
        for problem, values in found.items()
        if len(known := [v for v in values if v is not None]) == len(values)
    }


def _cost(
    name: str,
    baseline: list[Sample],
    other: list[Sample],
    value: Callable[[Sample], float | None],
    *,
    missing: str = "not measured",
    note: str = "",
) -> Metric:
    """The geometric mean over common problems of what an answer costs, other over baseline."""
    theirs, ours = means(baseline, value), means(other, value)
    ratios = [ours[p] / theirs[p] for p in sorted(ours.keys() & theirs.keys()) if ours[p] > 0 and theirs[p] > 0]
    return _of_ratios(name, ratios, note) if ratios else Metric(name, "ratio", None, None, missing)


def _of_ratios(name: str, ratios: Sequence[float], note: str) -> Metric:
    estimate, p = geometric_mean(ratios), paired_permutation([math.log(ratio) for ratio in ratios])
    return Metric(name, "ratio", estimate, verdict_of(estimate, "ratio", p), note, p)


def _about_seconds(baseline: list[Sample], other: list[Sample]) -> str:
    """Seconds depend on how many sequences were decoded together, a session option: said, never refused."""
    theirs, ours = ({s["width"] for s in rated(samples) if s.get("width")} for samples in (baseline, other))
    different = "" if theirs == ours else f"width {_listed(theirs)} v {_listed(ours)}: seconds are of different batches"
    return "; ".join(filter(None, (different, _left_out(baseline, other))))


def _left_out(baseline: list[Sample], other: list[Sample]) -> str:
    """How many answers bring no seconds, because they were taken over from a run of another width."""
    count = sum(len(samples) - len(rated(samples)) for samples in (baseline, other))
    answers = count_of(count, "answer of another width, taken over, is", "answers of another width, taken over, are")
    return f"{answers} left out" if count else ""


def _no_seconds(baseline: list[Sample], other: list[Sample]) -> str:
    left_out = _left_out(baseline, other)
    return f"not measured: {left_out}" if left_out else "not measured"


def _listed(values: set[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _peak_memory(baseline: Sequence[Sample], other: Sequence[Sample]) -> Metric:
    """The engine's largest resident memory: one reading of each side, so no interval, and a verdict only beyond 2 %."""
    peaks = [
        max((s["peak_rss_bytes"] for s in samples if s.get("peak_rss_bytes")), default=0)
        for samples in (baseline, other)
    ]
    if not all(peaks):
        return Metric("memory", "ratio", None, None, "not measured")
    ratio = peaks[1] / peaks[0]
    verdict: Verdict = "no_difference"
    if abs(ratio - 1) > _READING_SPREAD:
        verdict = "better" if ratio < 1 else "worse"
    return Metric("memory", "ratio", Estimate(ratio, ratio, ratio, 1), verdict, "one reading of each, no interval")


def _code_time(baseline: list[Sample], other: list[Sample]) -> Metric:
    """CPU time of the code, on the problems that both solved, by way of each one's ratio to the reference."""
    theirs, ours = _log_ratios(baseline), _log_ratios(other)
    common = sorted(theirs.keys() & ours.keys())
    if not common:
        return Metric("code CPU time", "ratio", None, None, "not measured on any problem that both solved")
    ratios = [math.exp(ours[problem] - theirs[problem]) for problem in common]
    censored = sum(_is_censored(s) for s in [*baseline, *other] if s["problem_id"] in common)
    ran = count_of(censored, "program ran into the limit and counts", "programs ran into the limit and count")
    note = f"{ran} with it" if censored else ""
    return _of_ratios("code CPU time", ratios, note)


def _log_ratios(samples: Sequence[Sample]) -> dict[str, float]:
    found: dict[str, list[float]] = {}
    for sample in samples:
        record = sample.get("efficiency")
        if sample["outcome"] == Outcome.PASSED and record and has_ratio(record):
            found.setdefault(sample["problem_id"], []).append(math.log(record["cpu_ratio"]["value"]))
    return {problem: math.fsum(logs) / len(logs) for problem, logs in found.items()}


def _is_censored(sample: Sample) -> bool:
    return bool(sample.get("efficiency")) and sample["efficiency"]["status"] == "censored"


def pass1(samples: Sequence[Sample]) -> Estimate | None:
    """pass@1 of samples with its interval."""
    return pass_at(samples, (1,)).get(1) if scores(samples) else None
