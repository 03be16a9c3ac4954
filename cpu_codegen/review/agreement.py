"""How far reviewers agree with each other and with the tests: Cohen's kappa (Cohen 1960) and the answers on which they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import combinations

from cpu_codegen.review.grading import Grade, Grading

TESTS = "tests"


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two raters on one criterion. `kappa` is None where chance alone would make them agree (each used one word only)."""

    criterion: str
    first: str
    second: str
    n: int
    agreed: int
    kappa: float | None


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One answer that two raters see differently."""

    problem_id: str
    style: str
    index: int
    criterion: str
    said: tuple[tuple[str, str], ...]


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """(observed - expected) / (1 - expected) agreement of two raters on the same items; None without items or without chance."""
    n = len(first)
    if n == 0 or n != len(second):
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    ours, theirs = Counter(first), Counter(second)
    expected = sum(ours[word] * theirs[word] for word in ours) / n**2
    return None if expected >= 1 else (observed - expected) / (1 - expected)


def _ratings(grading: Grading, grades: Sequence[Grade]) -> dict[str, dict[str, dict[str, float]]]:
    """criterion → rater → answer → points. The tests rate the first criterion: all its points for passed, none else."""
    ratings: dict[str, dict[str, dict[str, float]]] = {}
    for criterion in grading.rubric.criteria:
        by_rater: dict[str, dict[str, float]] = {}
        for grade in grades:
            by_rater.setdefault(grade["reviewer"], {})[grade["generation"]] = grade["points"][criterion.name]
        ratings[criterion.name] = by_rater
    first = grading.rubric.criteria[0]
    decided = [s for s in grading.samples if s["outcome"] not in (None, "harness_error")]
    words = {s["key"]: first.points[-1] if s["outcome"] == "passed" else first.points[0] for s in decided}
    ratings[first.name] = {**ratings[first.name], TESTS: words}
    return ratings


def agreements(grading: Grading) -> list[Agreement]:
    """Every pair of raters on every criterion that both rated. Against the tests only full points count as passed."""
    grades, found = grading.grades(), []
    top = grading.rubric.criteria[0].points[-1]
    for criterion, raters in _ratings(grading, grades).items():
        for one, two in combinations(raters, 2):
            common = sorted(raters[one].keys() & raters[two].keys())
            pair = [raters[one][key] for key in common], [raters[two][key] for key in common]
            if TESTS in (one, two):
                pair = [float(v == top) for v in pair[0]], [float(v == top) for v in pair[1]]
            agreed = sum(a == b for a, b in zip(*pair, strict=True))
            if common:
                found.append(Agreement(criterion, one, two, len(common), agreed, cohen_kappa(*pair)))
    return found


def disagreements(grading: Grading) -> list[Disagreement]:
    """Answers on which raters differ, by criterion, in the run's order."""
    found = []
    for criterion, raters in _ratings(grading, grading.grades()).items():
        for sample in grading.samples:
            said = {rater: points[sample["key"]] for rater, points in raters.items() if sample["key"] in points}
            if len(said) > 1 and len(set(said.values())) > 1:
                words = tuple((rater, f"{value:g}") for rater, value in said.items())
                found.append(Disagreement(sample["problem_id"], sample["style"], sample["index"], criterion, words))
    return found
