"""RUN arguments → comparisons: which run, suite and style is paired with which, ladders of quantizations, styles of one run.

The first run is the baseline of all others; of one run alone, `plain` (or its first style) is that of its other styles. With
several comparisons the p values of pass@1 are corrected for their number (Holm). Not covered: how a pair is compared (compare.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cpu_codegen.compare import Pairing, Sample, means, pair, pass1
from cpu_codegen.compare_factors import (
    Difference,
    Manifest,
    differences,
    family,
    model_name,
    quantization,
    require_comparable,
)
from cpu_codegen.errors import UsageError
from cpu_codegen.report.samples import load_samples
from cpu_codegen.stats import Estimate, holm
from cpu_codegen.store import RunFolder

_BASELINE_STYLE = "plain"


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder, read."""

    path: Path
    manifest: Manifest
    samples: list[Sample]

    @property
    def name(self) -> str:
        """The model, and the folder where that is not enough."""
        return model_name(self.manifest)

    def of(self, suite: str, style: str) -> list[Sample]:
        """The samples of one suite and style."""
        return [s for s in self.samples if s["suite"] == suite and s["style"] == style]

    @property
    def suites(self) -> list[str]:
        """Suites that have samples, in the run's order."""
        return list(dict.fromkeys(s["suite"] for s in self.samples))

    @property
    def styles(self) -> list[str]:
        """Styles that have samples, in the run's order."""
        return list(dict.fromkeys(s["style"] for s in self.samples))


@dataclass(frozen=True, slots=True)
class Comparison:
    """One pairing with its names. `differing` is all that differs: one factor, or with --across several."""

    baseline: str
    other: str
    suite: str
    style: str
    differing: tuple[Difference, ...]
    pairing: Pairing
    corrected_p: float | None = None

    @property
    def is_repeat(self) -> bool:
        """Do the runs differ in nothing, or in seed alone? Then flips of verdicts are noise made visible."""
        return all(difference.name == "seed" for difference in self.differing)


@dataclass(frozen=True, slots=True)
class Step:
    """One quantization of a ladder: its own figures, and its difference to the ladder's first (the largest file)."""

    model: str
    quant: str
    size_bytes: int
    suite: str
    style: str
    pass1: Estimate | None
    tokens: float | None
    seconds: float | None
    joules: float | None
    against_first: Pairing | None


def read_run(path: Path) -> Run:
    """A run folder with its samples; UsageError where nothing was generated yet."""
    folder = RunFolder(path)
    run = Run(path, folder.manifest(), load_samples(folder))
    if not run.samples:
        raise UsageError(f"{path} holds no answers yet", remedy="the command that began the run goes on with it")
    return run


def compare_runs(runs: Sequence[Run], *, across: bool = False) -> list[Comparison]:
    """Every run against the first one, or the styles of one run. UsageError when they cannot be compared."""
    found = (
        _styles_of(runs[0]) if len(runs) == 1 else [c for run in runs[1:] for c in _two(runs[0], run, across=across)]
    )
    if not found:
        raise UsageError("nothing to compare: no suite and style in common", remedy="cpu-codegen runs list")
    return _corrected(found)


def _styles_of(run: Run) -> list[Comparison]:
    """Of one run: every other style against the baseline style, suite by suite."""
    baseline = _BASELINE_STYLE if _BASELINE_STYLE in run.styles else run.styles[0]
    found = []
    for suite in run.suites:
        for style in run.styles:
            if style != baseline and run.of(suite, style) and run.of(suite, baseline):
                pairing = pair(run.of(suite, baseline), run.of(suite, style), why_no_energy=_why_no_energy(run))
                factor = (Difference("style", baseline, style),)
                found.append(Comparison(baseline, style, suite, style, factor, pairing))
    if not found:
        raise UsageError(
            f"{run.path} has one style only, so there is nothing to compare it with",
            remedy="cpu-codegen compare RUN OTHER, or run --style plain,cot",
        )
    return found


def _two(baseline: Run, other: Run, *, across: bool) -> list[Comparison]:
    """The common suites and styles of two runs; where each has one style, that one."""
    common = [(style, style) for style in baseline.styles if style in other.styles]
    if not common and len(baseline.styles) == len(other.styles) == 1:
        common = [(baseline.styles[0], other.styles[0])]
    differing = differences(baseline.manifest, other.manifest, common)
    require_comparable(differing, across=across)
    names = _names(baseline, other)
    found = []
    for suite in [suite for suite in baseline.suites if suite in other.suites]:
        for first, second in common:
            if baseline.of(suite, first) and other.of(suite, second):
                pairing = pair(baseline.of(suite, first), other.of(suite, second), why_no_energy=_why_no_energy(other))
                style = first if first == second else f"{first} v {second}"
                found.append(Comparison(*names, suite, style, tuple(differing), pairing))
    return found


def _names(baseline: Run, other: Run) -> tuple[str, str]:
    """Model names, or folder names where the models are one."""
    if baseline.name != other.name:
        return baseline.name, other.name
    return baseline.path.resolve().name, other.path.resolve().name


def _why_no_energy(run: Run) -> str:
    return str(run.manifest.get("machine", {}).get("energy_why") or "no readable counter")


def _corrected(found: list[Comparison]) -> list[Comparison]:
    """With several comparisons a verdict on correctness must survive Holm's correction."""
    tested = [c for c in found if c.pairing.correctness.p is not None]
    if len(tested) < 2:
        return found
    corrected = dict(zip(map(id, tested), holm([c.pairing.correctness.p or 0.0 for c in tested]), strict=True))
    return [_with_p(c, corrected[id(c)]) if id(c) in corrected else c for c in found]


def _with_p(comparison: Comparison, p: float) -> Comparison:
    pairing = comparison.pairing
    first, *rest = pairing.metrics
    if p >= 0.05:
        first = replace(first, verdict="no_difference")
    return replace(comparison, corrected_p=p, pairing=replace(pairing, metrics=(first, *rest)))


def ladders(runs: Sequence[Run]) -> list[Step]:
    """Quantizations of one model among the runs, the largest file first; [] where no model has two."""
    by_family: dict[str, list[Run]] = {}
    for run in runs:
        if quantization(run.manifest):
            by_family.setdefault(family(run.manifest), []).append(run)
    steps: list[Step] = []
    for of_family in by_family.values():
        if len({quantization(run.manifest) for run in of_family}) > 1:
            steps += _ladder(sorted(of_family, key=lambda run: -int(run.manifest["model"]["size_bytes"])))
    return steps


def _ladder(runs: list[Run]) -> list[Step]:
    first = runs[0]
    return [
        _step(run, first, suite, style)
        for suite in first.suites
        for style in first.styles
        for run in runs
        if run.of(suite, style)
    ]


def _step(run: Run, first: Run, suite: str, style: str) -> Step:
    samples = run.of(suite, style)
    return Step(
        model=run.name,
        quant=quantization(run.manifest),
        size_bytes=int(run.manifest["model"]["size_bytes"]),
        suite=suite,
        style=style,
        pass1=pass1(samples),
        tokens=_mean(samples, "completion_tokens"),
        seconds=_mean(samples, "cost_s"),
        joules=_mean(samples, "energy_j"),
        against_first=None if run is first else pair(first.of(suite, style), samples),
    )


def _mean(samples: Sequence[Sample], name: str) -> float | None:
    values = list(means(samples, lambda sample: sample.get(name)).values())
    return sum(values) / len(values) if values else None
