"""A run folder → its numbers, per suite, style and level; every estimate with n and an interval, every gap with its reason.

Covered: pass@k (Chen et al. 2021) with the intervals of contracts §2, outcomes, format adherence, throughput, latency, memory, cost
and efficiency of one run; its styles paired on the same problems. Not covered: two runs against each other (compare.py), how it is
shown (figures.py, overview.py, page/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.measure.metrics import has_ratio, mean_ratio, speed_verdict
from cpu_codegen.race import Stop
from cpu_codegen.report.cost import Cost, busy_seconds, cost_of, one_load_s, rated
from cpu_codegen.report.flips import Flips, flips_of
from cpu_codegen.report.groups import stop_of
from cpu_codegen.report.rates import Paired, Sample, counts, paired, pass_at
from cpu_codegen.report.reasoning import Reasoning, reasoning_of
from cpu_codegen.report.samples import load_samples
from cpu_codegen.report.unfinished import scope_of, unfinished
from cpu_codegen.schema import LEVELS, Outcome
from cpu_codegen.stats import Estimate, wilson
from cpu_codegen.store import RunFolder

ALL_LEVELS = "all"


@dataclass(frozen=True, slots=True)
class Efficiency:
    """CPU time of passed answers over the reference's: geometric mean over problems; > 1 is slower than the reference.

    `censored` answers ran into the time limit and enter with the ratio they had reached by then, so the mean is a lower bound;
    left out, they would make slow code look fast. `skipped` counts answers without a ratio (below_floor, not_measured);
    `commonest` is the reason that most of the not measured have.
    """

    ratio: Estimate | None
    censored: int
    skipped: dict[str, int]
    passed: int
    judged: int
    disturbed: int = 0
    commonest: str = ""

    @property
    def verdict(self) -> str:
        """`slower`, `faster`, `no difference` (the interval holds 1), or "" where there is no ratio or are too few problems."""
        return speed_verdict(self.ratio)

    @property
    def why(self) -> str:
        """Why there is no ratio, or what it leaves out."""
        left_out = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in self.skipped.items())
        if self.ratio is not None:
            bound = f"≥: {count_of(self.censored, 'answer')} ran into the time limit" if self.censored else ""
            company = f"{self.disturbed} of them had company on their core" if self.disturbed else ""
            return "; ".join(filter(None, (bound, company, f"left out: {left_out}" if left_out else "")))
        if not self.passed:
            return "not measured: no answer passed" if self.judged else "not measured: nothing is judged yet"
        if set(self.skipped) == {"not_measured"} and self.commonest:
            return f"not measured: {self.commonest}"
        return f"not measured: {left_out}" if left_out else "not measured: the efficiency column was not run"


@dataclass(frozen=True, slots=True)
class Cell:
    """One suite × style × level of one run (`level` "all" = every level).

    n counts samples that count: judged ones (harness errors apart), and `unknown` ones, which were begun but are not finished or
    not judged; `undecided` of those are there and only not judged. `wanted`: how many the scope asks for (None for one level).
    """

    suite: str
    style: str
    level: str
    n: int
    problems: int
    passed: int
    pass_at: dict[int, Estimate]
    outcomes: dict[str, int]
    undecided: int
    unknown: int
    wanted: int | None
    format_ok: Estimate | None
    cut: int
    completion_tokens: int
    reasoning_tokens: int
    reasoning: Reasoning
    cost: Cost
    efficiency: Efficiency

    @property
    def pass1(self) -> Estimate | None:
        """pass@1, None while nothing is decided."""
        return self.pass_at.get(1)


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All numbers of one run folder. `faults` = harness errors, which count against no model.

    `unfinished` answers were begun and are not in `samples`. A run that a race stopped has its `stop`: its intervals are then such
    that hold although the data chose the moment, and it belongs into no paired table.
    """

    path: Path
    manifest: dict[str, Any]
    samples: list[Sample]
    cells: list[Cell]
    pairs: list[Paired]
    faults: int
    unfinished: list[Sample] = field(default_factory=list)
    stop: Stop | None = None
    flips: list[Flips] = field(default_factory=list)

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
    total_cost_s = busy_seconds(rated(samples))
    begun, stop = unfinished(manifest, samples), stop_of(path)
    cells = [
        _cell(key, group, begun, load_s=load_s * _share(group, total_cost_s), manifest=manifest, anytime=bool(stop))
        for key, group in _groups(samples, manifest)
    ]
    faults = sum(1 for s in samples if s["outcome"] == Outcome.HARNESS_ERROR)
    pairs = [] if stop else _pairs([*samples, *begun], manifest)
    return RunSummary(path, manifest, samples, cells, pairs, faults, begun, stop, flips_of(path, manifest, samples))


def _share(samples: Sequence[Sample], total_cost_s: float) -> float:
    return busy_seconds(rated(samples)) / total_cost_s if total_cost_s > 0 else 0.0


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


def _cell(
    key: tuple[str, str, str],
    samples: list[Sample],
    begun: Sequence[Sample],
    *,
    load_s: float,
    manifest: dict[str, Any],
    anytime: bool,
) -> Cell:
    suite, style, level = key
    decided = [s for s in samples if counts(s)]
    undecided = [s for s in samples if s["outcome"] is None]
    unknown = [*undecided, *(s for s in begun if _belongs(s, key))]
    passed = sum(1 for s in decided if s["outcome"] == Outcome.PASSED)
    outcomes = Counter(s["outcome"] for s in samples if s["outcome"] is not None)
    return Cell(
        suite=suite,
        style=style,
        level=level,
        n=len(decided) + len(unknown),
        problems=len({s["problem_id"] for s in [*decided, *unknown]}),
        passed=passed,
        pass_at=pass_at([*decided, *unknown], anytime=anytime),
        outcomes={o.value: outcomes[o.value] for o in Outcome if outcomes[o.value]},
        undecided=len(undecided),
        unknown=len(unknown),
        wanted=_wanted(manifest, suite, style) if level == ALL_LEVELS else None,
        format_ok=_share_of([s["format_ok"] for s in decided if s["format_ok"] is not None]),
        cut=sum(1 for s in samples if s["finish_reason"] == "length"),
        completion_tokens=sum(s.get("completion_tokens") or 0 for s in samples),
        reasoning_tokens=sum(s.get("reasoning_tokens") or 0 for s in samples),
        reasoning=reasoning_of(samples),
        cost=cost_of(samples, decided, passed=passed, load_s=load_s, manifest=manifest),
        efficiency=efficiency_of([s for s in decided if s["outcome"] == Outcome.PASSED], judged=len(decided)),
    )


def _belongs(sample: Sample, key: tuple[str, str, str]) -> bool:
    suite, style, level = key
    return sample["suite"] == suite and sample["style"] == style and level in (ALL_LEVELS, sample["level"])


def _wanted(manifest: dict[str, Any], suite: str, style: str) -> int:
    return sum(1 for record in scope_of(manifest) if (record["suite"], record["style"]) == (suite, style))


def _share_of(flags: list[bool]) -> Estimate | None:
    if not flags:
        return None
    interval = wilson(sum(flags), len(flags))
    return Estimate(sum(flags) / len(flags), interval.low, interval.high, len(flags))


def efficiency_of(passed: list[Sample], *, judged: int) -> Efficiency:
    """The geometric mean of cpu_ratio; a problem's samples are averaged (in logarithms) before the mean over problems."""
    records = [sample["efficiency"] for sample in passed if sample.get("efficiency")]
    used = [record for record in records if has_ratio(record)]
    skipped = Counter(record["status"] for record in records if record not in used)
    found = mean_ratio(used)
    disturbed = sum(record["status"] == "disturbed" for record in used)
    reasons = Counter(record.get("reason") or "" for record in records if record["status"] == "not_measured")
    commonest = max(reasons, key=reasons.__getitem__, default="")
    found_skipped = dict(sorted(skipped.items()))
    return Efficiency(found.estimate, found.censored, found_skipped, len(passed), judged, disturbed, commonest)


def _pairs(samples: list[Sample], manifest: dict[str, Any]) -> list[Paired]:
    """Every other style minus `plain` (or the first style) per suite."""
    styles = styles_of(manifest, samples)
    baseline = "plain" if "plain" in styles else (styles[0] if styles else "")
    found = []
    for suite in _in_order(manifest.get("suites", {}), (s["suite"] for s in samples)):
        by_style = {style: [s for s in samples if s["suite"] == suite and s["style"] == style] for style in styles}
        for style in styles:
            if style != baseline:
                pair = paired(by_style[style], by_style[baseline], suite=suite, style=style, baseline=baseline)
                found += [pair] if pair else []
    return found
