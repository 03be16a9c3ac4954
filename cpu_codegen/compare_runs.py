"""RUN arguments → comparisons: which run, suite and style is paired with which, ladders of quantizations, styles of one run.

The first run is the baseline of all others; of one run alone, `plain` (or its first style) is that of its other styles. With
several comparisons the p values of each figure are corrected for their number (Holm). Not covered: how a pair is compared
(compare.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cpu_codegen.compare import SIGNIFICANT, Pairing, Sample, cost_s, energy_j, means, pair, pass1
from cpu_codegen.compare_factors import (
    Difference,
    Manifest,
    beside,
    differences,
    family,
    model_name,
    quantization,
    require_comparable,
)
from cpu_codegen.errors import UsageError, to_paste
from cpu_codegen.race import Stop
from cpu_codegen.report.groups import common_blocks, stop_of, within
from cpu_codegen.report.same_texts import SameTexts, same_texts
from cpu_codegen.report.samples import load_samples
from cpu_codegen.report.unfinished import unfinished
from cpu_codegen.stats import Estimate, holm
from cpu_codegen.store import RunFolder

_BASELINE_STYLE = "plain"


@dataclass(frozen=True, slots=True)
class Run:
    """One run folder, read; its samples with those that were begun and never came. `stop`: a race stopped it."""

    path: Path
    manifest: Manifest
    samples: list[Sample]
    stop: Stop | None = None

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
    """One pairing with its names. `differing` is all that differs: one factor, or with --across several.

    Of two runs of one model `texts` says how far they wrote the same, and `beside` what else than a setting may have changed them.
    """

    baseline: str
    other: str
    suite: str
    style: str
    differing: tuple[Difference, ...]
    pairing: Pairing
    texts: SameTexts | None = None
    beside: tuple[Difference, ...] = ()

    @property
    def corrected_p(self) -> float | None:
        """That of pass@1."""
        return self.pairing.correctness.corrected_p

    @property
    def is_repeat(self) -> bool:
        """Do the runs differ in nothing, or in seed alone? Then flips of verdicts are noise made visible."""
        return all(difference.name == "seed" for difference in self.differing)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a ladder: its own figures, and what it costs and buys against the first (the largest file, the plain style)."""

    model: str
    quant: str
    size_bytes: int | None
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
    manifest, samples = folder.manifest(), load_samples(folder)
    if not samples:
        raise UsageError(f"{path} holds no answers yet", remedy="the command that began the run goes on with it")
    return Run(path, manifest, [*samples, *unfinished(manifest, samples)], stop_of(path))


def to_pair(runs: Sequence[Run]) -> list[Run]:
    """The runs that no race stopped: the data chose the n of the others. UsageError where too few are left to compare."""
    left = [run for run in runs if run.stop is None]
    if len(left) < min(2, len(runs)):
        gone = ", ".join(f"{run.path.name} at look {run.stop.look}" for run in runs if run.stop)
        raise UsageError(
            f"a race stopped {gone}: what is left has no pair",
            remedy=f"{to_paste('report', *(run.path for run in runs))} shows what is known of each",
        )
    return left


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
    """The common suites and styles of two runs; where each has one style, that one. Of rounds only blocks that both finished."""
    common = [(style, style) for style in baseline.styles if style in other.styles]
    if not common and len(baseline.styles) == len(other.styles) == 1:
        common = [(baseline.styles[0], other.styles[0])]
    differing = differences(baseline.manifest, other.manifest, common)
    require_comparable(differing, across=across)
    names, blocks = _names(baseline, other), common_blocks(baseline.path, other.path)
    found = []
    for suite in [suite for suite in baseline.suites if suite in other.suites]:
        for first, second in common:
            theirs, ours = (within(r.of(suite, s), blocks) for r, s in ((baseline, first), (other, second)))
            if theirs and ours:
                pairing = pair(theirs, ours, why_no_energy=_why_no_energy(other))
                style = first if first == second else f"{first} v {second}"
                texts = same_texts(theirs, ours) if _may_write_the_same(differing, baseline, other) else None
                also = tuple(beside(baseline.manifest, other.manifest))
                found.append(Comparison(*names, suite, style, tuple(differing), pairing, texts, also))
    return found


def _may_write_the_same(differing: Sequence[Difference], *runs: Run) -> bool:
    """One model, greedy; or drawn, and with the same seeds, which follow from all settings."""
    is_drawn = any(run.manifest.get("settings", {}).get("sampling", {}).get("temperature", 0) > 0 for run in runs)
    return all(difference.name != "model" for difference in differing) and not (is_drawn and differing)


def _names(baseline: Run, other: Run) -> tuple[str, str]:
    """Model names, or folder names where the models are one."""
    if baseline.name != other.name:
        return baseline.name, other.name
    return baseline.path.resolve().name, other.path.resolve().name


def _why_no_energy(run: Run) -> str:
    return str(run.manifest.get("machine", {}).get("energy_why") or "no readable counter")


def _corrected(found: list[Comparison]) -> list[Comparison]:
    """With several comparisons a verdict must survive Holm's correction, figure by figure."""
    for place in range(len(found[0].pairing.metrics)):
        tested = [c.pairing.metrics[place].p for c in found]
        known = [p for p in tested if p is not None]
        if len(known) > 1:
            corrected = iter(holm(known))
            found = [c if p is None else _with_p(c, place, next(corrected)) for c, p in zip(found, tested, strict=True)]
    return found


def _with_p(comparison: Comparison, place: int, p: float) -> Comparison:
    metrics = list(comparison.pairing.metrics)
    verdict = metrics[place].verdict if p < SIGNIFICANT else "no_difference"
    metrics[place] = replace(metrics[place], verdict=verdict, corrected_p=p)
    return replace(comparison, pairing=replace(comparison.pairing, metrics=tuple(metrics)))


def ladders(runs: Sequence[Run]) -> list[Step]:
    """Quantizations of one model among the runs, the largest file first; [] where no model has two."""
    by_family: dict[str, list[Run]] = {}
    for run in runs:
        if quantization(run.manifest):
            by_family.setdefault(family(run.manifest), []).append(run)
    steps: list[Step] = []
    for of_family in by_family.values():
        if len({quantization(run.manifest) for run in of_family}) > 1:
            steps += _ladder(sorted(of_family, key=lambda run: -int(run.manifest["model"]["size_bytes"] or 0)))
    return steps


def _ladder(runs: list[Run]) -> list[Step]:
    first = runs[0]
    return [
        _step(run, suite, style, None if run is first else first.of(suite, style))
        for suite in first.suites
        for style in first.styles
        for run in runs
        if run.of(suite, style)
    ]


def style_steps(runs: Sequence[Run]) -> list[Step]:
    """The styles of every run that has several, the baseline style first."""
    steps: list[Step] = []
    for run in runs:
        baseline = _BASELINE_STYLE if _BASELINE_STYLE in run.styles else run.styles[0]
        for suite in run.suites:
            others = [style for style in run.styles if style != baseline and run.of(suite, style)]
            if others and run.of(suite, baseline):
                first = run.of(suite, baseline)
                steps.append(_step(run, suite, baseline, None))
                steps += [_step(run, suite, style, first) for style in others]
    return steps


def _step(run: Run, suite: str, style: str, first: list[Sample] | None) -> Step:
    samples = run.of(suite, style)
    size = run.manifest["model"].get("size_bytes")
    return Step(
        model=run.name,
        quant=quantization(run.manifest),
        size_bytes=None if size is None else int(size),
        suite=suite,
        style=style,
        pass1=pass1(samples),
        tokens=_mean(samples, lambda sample: sample.get("completion_tokens")),
        seconds=_mean(samples, cost_s),
        joules=_mean(samples, energy_j),
        against_first=pair(first, samples, why_no_energy=_why_no_energy(run)) if first else None,
    )


def _mean(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> float | None:
    values = list(means(samples, value).values())
    return sum(values) / len(values) if values else None
