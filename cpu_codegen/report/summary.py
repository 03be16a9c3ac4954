"""A run folder → its numbers, per suite, style and level; every estimate with n and an interval, every gap with its reason.

Covered: pass@k (Chen et al. 2021) with the intervals of contracts §2, outcomes, format adherence, throughput, latency, memory, cost
and efficiency of one run; its styles paired on the same problems. Not covered: two runs against each other (compare.py), how it is
shown (figures.py, terminal.py, page.py).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cpu_codegen.measure.metrics import has_ratio, mean_ratio
from cpu_codegen.report.cost import Cost, busy_seconds, cost_of, one_load_s
from cpu_codegen.report.samples import load_samples
from cpu_codegen.schema import LEVELS, Outcome
from cpu_codegen.stats import (
    Estimate,
    bootstrap_mean,
    mcnemar_exact,
    paired_permutation,
    pass_at_k,
    score_interval,
    tango,
    wilson,
)
from cpu_codegen.store import RunFolder

Sample = dict[str, Any]
ALL_LEVELS = "all"
Verdict = Literal["better", "worse", "no difference"]


@dataclass(frozen=True, slots=True)
class Efficiency:
    """CPU time of passed answers over the reference's: geometric mean over problems; > 1 is slower than the reference.

    `censored` answers ran into the time limit and enter with the ratio they had reached by then, so the mean is a lower bound;
    left out, they would make slow code look fast. `skipped` counts answers without a ratio (below_floor, disturbed, not_measured).
    """

    ratio: Estimate | None
    censored: int
    skipped: dict[str, int]
    passed: int
    judged: int

    @property
    def verdict(self) -> str:
        """`slower`, `faster`, `no difference` (the interval holds 1), or "" without a ratio."""
        if self.ratio is None:
            return ""
        if self.ratio.low > 1:
            return "slower"
        return "faster" if self.ratio.high < 1 else "no difference"

    @property
    def why(self) -> str:
        """Why there is no ratio, or what it leaves out."""
        left_out = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in self.skipped.items())
        if self.ratio is not None:
            bound = f"≥: {self.censored} answers ran into the time limit" if self.censored else ""
            return "; ".join(part for part in (bound, f"left out: {left_out}" if left_out else "") if part)
        if not self.passed:
            return "not measured: no answer passed" if self.judged else "not measured: nothing is judged yet"
        return f"not measured: {left_out}" if left_out else "not measured: the efficiency column was not run"


@dataclass(frozen=True, slots=True)
class Cell:
    """One suite × style × level of one run (`level` "all" = every level). n counts samples with a verdict that counts."""

    suite: str
    style: str
    level: str
    n: int
    problems: int
    passed: int
    pass_at: dict[int, Estimate]
    outcomes: dict[str, int]
    undecided: int
    format_ok: Estimate | None
    cut: int
    completion_tokens: int
    reasoning_tokens: int
    cost: Cost
    efficiency: Efficiency

    @property
    def pass1(self) -> Estimate | None:
        """pass@1, None while nothing is decided."""
        return self.pass_at.get(1)


@dataclass(frozen=True, slots=True)
class Paired:
    """`style` minus `baseline` on the problems that both have: difference of pass@1, interval, p. b, c = solved by one alone."""

    suite: str
    style: str
    baseline: str
    n: int
    b: int
    c: int
    difference: Estimate
    p: float
    test: Literal["McNemar", "permutation"]

    @property
    def verdict(self) -> Verdict:
        """A word only where the interval and the test agree; else "no difference"."""
        if self.p >= 0.05 or self.difference.low <= 0 <= self.difference.high:
            return "no difference"
        return "better" if self.difference.value > 0 else "worse"


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All numbers of one run folder. `faults` = harness errors, which count against no model."""

    path: Path
    manifest: dict[str, Any]
    samples: list[Sample]
    cells: list[Cell]
    pairs: list[Paired]
    faults: int

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.resolve().name

    @property
    def model(self) -> str:
        """The model as the user named it."""
        return str(self.manifest.get("model", {}).get("name", "unknown model"))

    def overall(self) -> list[Cell]:
        """The cells over all levels, one per suite and style."""
        return [cell for cell in self.cells if cell.level == ALL_LEVELS]


def summarize(path: Path) -> RunSummary:
    """Reads one run folder and computes its numbers. UsageError where there is none."""
    folder = RunFolder(path)
    manifest = folder.manifest()
    samples = load_samples(folder)
    load_s = one_load_s(manifest)
    total_cost_s = busy_seconds(samples)
    cells = [
        _cell(key, group, load_s=load_s * _share(group, total_cost_s), manifest=manifest)
        for key, group in _groups(samples, manifest)
    ]
    faults = sum(1 for s in samples if s["outcome"] == Outcome.HARNESS_ERROR)
    return RunSummary(path, manifest, samples, cells, _pairs(samples, manifest), faults)


def _share(samples: Sequence[Sample], total_cost_s: float) -> float:
    return busy_seconds(samples) / total_cost_s if total_cost_s > 0 else 0.0


def _groups(samples: list[Sample], manifest: dict[str, Any]) -> Iterable[tuple[tuple[str, str, str], list[Sample]]]:
    """Suites and styles in the run's order, all levels first."""
    for suite in _in_order(manifest.get("suites", {}), (s["suite"] for s in samples)):
        for style in styles_of(manifest, samples):
            group = [s for s in samples if s["suite"] == suite and s["style"] == style]
            if group:
                yield (suite, style, ALL_LEVELS), group
            for level in LEVELS:
                part = [s for s in group if s["level"] == level]
                if part:
                    yield (suite, style, level), part


def styles_of(manifest: dict[str, Any], samples: Iterable[Sample]) -> list[str]:
    """The styles that the run holds, in the order in which they were asked for."""
    return _in_order(manifest.get("scope", {}).get("styles", []), (s["style"] for s in samples))


def _in_order(known: Iterable[str], seen: Iterable[str]) -> list[str]:
    present = dict.fromkeys(seen)
    return [name for name in dict.fromkeys([*known, *present]) if name in present]


def counts(sample: Sample) -> bool:
    """True when the sample's outcome counts for or against the model."""
    return sample["outcome"] not in (None, Outcome.HARNESS_ERROR)


def _cell(key: tuple[str, str, str], samples: list[Sample], *, load_s: float, manifest: dict[str, Any]) -> Cell:
    decided = [s for s in samples if counts(s)]
    passed = sum(1 for s in decided if s["outcome"] == Outcome.PASSED)
    outcomes = Counter(s["outcome"] for s in samples if s["outcome"] is not None)
    suite, style, level = key
    return Cell(
        suite=suite,
        style=style,
        level=level,
        n=len(decided),
        problems=len({s["problem_id"] for s in decided}),
        passed=passed,
        pass_at=pass_at(decided),
        outcomes={o.value: outcomes[o.value] for o in Outcome if outcomes[o.value]},
        undecided=sum(1 for s in samples if s["outcome"] is None),
        format_ok=_share_of([s["format_ok"] for s in decided if s["format_ok"] is not None]),
        cut=sum(1 for s in samples if s["finish_reason"] == "length"),
        completion_tokens=sum(s.get("completion_tokens") or 0 for s in samples),
        reasoning_tokens=sum(s.get("reasoning_tokens") or 0 for s in samples),
        cost=cost_of(samples, decided, passed=passed, load_s=load_s, manifest=manifest),
        efficiency=efficiency_of([s for s in decided if s["outcome"] == Outcome.PASSED], judged=len(decided)),
    )


def _share_of(flags: list[bool]) -> Estimate | None:
    if not flags:
        return None
    interval = wilson(sum(flags), len(flags))
    return Estimate(sum(flags) / len(flags), interval.low, interval.high, len(flags))


def scores(decided: Iterable[Sample], k: int = 1) -> dict[str, float]:
    """pass@k of each problem that has at least k samples."""
    tally: dict[str, list[bool]] = {}
    for sample in decided:
        tally.setdefault(sample["problem_id"], []).append(sample["outcome"] == Outcome.PASSED)
    return {name: pass_at_k(len(flags), sum(flags), k) for name, flags in tally.items() if len(flags) >= k}


def pass_at(decided: list[Sample], wanted: Sequence[int] = (1, 10, 100)) -> dict[int, Estimate]:
    """pass@k over the problems for each k that every problem has samples for."""
    found: dict[int, Estimate] = {}
    problems = len({s["problem_id"] for s in decided})
    for k in wanted:
        values = list(scores(decided, k).values())
        if values and len(values) == problems:
            interval = score_interval(values)
            found[k] = Estimate(math.fsum(values) / len(values), interval.low, interval.high, len(values))
    return found


def efficiency_of(passed: list[Sample], *, judged: int) -> Efficiency:
    """The geometric mean of cpu_ratio; a problem's samples are averaged (in logarithms) before the mean over problems."""
    records = [sample["efficiency"] for sample in passed if sample.get("efficiency")]
    used = [record for record in records if record["status"] in ("measured", "censored") and has_ratio(record)]
    skipped = Counter(record["status"] for record in records if record not in used)
    found = mean_ratio(used)
    return Efficiency(found.estimate, found.censored, dict(sorted(skipped.items())), len(passed), judged)


def _pairs(samples: list[Sample], manifest: dict[str, Any]) -> list[Paired]:
    """Every other style minus `plain` (or the first style) per suite."""
    styles = styles_of(manifest, samples)
    baseline = "plain" if "plain" in styles else (styles[0] if styles else "")
    found = []
    for suite in _in_order(manifest.get("suites", {}), (s["suite"] for s in samples)):
        by_style = {
            style: [s for s in samples if s["suite"] == suite and s["style"] == style and counts(s)] for style in styles
        }
        for style in styles:
            if style != baseline:
                pair = paired(by_style[style], by_style[baseline], suite=suite, style=style, baseline=baseline)
                found += [pair] if pair else []
    return found


def paired(first: list[Sample], second: list[Sample], *, suite: str, style: str, baseline: str) -> Paired | None:
    """The paired difference of two styles; one sample per problem: exact McNemar and Tango; more: permutation and bootstrap."""
    ours, theirs = scores(first), scores(second)
    common = sorted(ours.keys() & theirs.keys())
    if not common:
        return None
    differences = [ours[name] - theirs[name] for name in common]
    n, mean = len(common), math.fsum(differences) / len(common)
    b, c = sum(d > 0 for d in differences), sum(d < 0 for d in differences)
    if all(d in (-1.0, 0.0, 1.0) for d in differences):
        interval, p = tango(b, c, n), mcnemar_exact(b, c)
        test: Literal["McNemar", "permutation"] = "McNemar"
    else:
        interval, p, test = bootstrap_mean(differences), paired_permutation(differences), "permutation"
    estimate = Estimate(mean, interval.low, interval.high, n)
    return Paired(suite, style, baseline, n, b, c, estimate, p, test)
