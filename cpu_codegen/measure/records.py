"""The efficiency of a run's passed answers as figures, per suite and style. Input: samples as report/samples.py joins them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cpu_codegen.measure import metrics
from cpu_codegen.measure.findings import FINDINGS, by_name, counted
from cpu_codegen.schema import Outcome
from cpu_codegen.stats import Estimate, median

Sample = dict[str, Any]
STATUSES = ("measured", "censored", "disturbed", "below_floor", "not_measured")
COMPLEXITY = ("complexity", "maintainability", "halstead_volume", "halstead_difficulty", "halstead_effort", "sloc")


def groups(samples: Sequence[Sample]) -> Iterator[tuple[str, str, list[Sample]]]:
    """Suite, style and their samples with a verdict that counts."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        if sample["outcome"] not in (None, Outcome.HARNESS_ERROR):
            found.setdefault((sample["suite"], sample["style"]), []).append(sample)
    for (suite, style), group in found.items():
        yield suite, style, group


def records_of(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """The measurements of the passed samples."""
    return [s["efficiency"] for s in samples if s["outcome"] == Outcome.PASSED and s.get("efficiency")]


def answers_of(samples: Sequence[Sample], score: Callable[[metrics.Record], float | None]) -> list[metrics.Answers]:
    """Problem by problem, the scores of its answers."""
    problems: dict[str, list[Sample]] = {}
    for sample in samples:
        problems.setdefault(sample["problem_id"], []).append(sample)
    return [_answers(of_problem, score) for of_problem in problems.values()]


def _answers(samples: Sequence[Sample], score: Callable[[metrics.Record], float | None]) -> metrics.Answers:
    right = [s for s in samples if s["outcome"] == Outcome.PASSED]
    found = [one for s in right if s.get("efficiency") and (one := score(s["efficiency"])) is not None]
    return metrics.Answers(tuple(found), len(right) - len(found), len(samples) - len(right))


def beyond_at_1(samples: Sequence[Sample]) -> Estimate | None:
    """Mercury's Beyond over problems; None where no answer that passed has a place between naive and reference."""
    answers = answers_of(samples, metrics.beyond)
    if not any(one.scores for one in answers):
        return None
    return metrics.mean_score(answers, lambda scores: math.fsum(scores) / len(scores))


def efficiency_records(samples: Sequence[Sample], ks: Sequence[int] = (1, 10, 100)) -> list[dict[str, Any]]:
    """One record per suite and style, for JSON; eff@k for each of `ks` that some problem has samples for."""
    return [_record(suite, style, group, ks) for suite, style, group in groups(samples)]


def _record(suite: str, style: str, group: list[Sample], ks: Sequence[int]) -> dict[str, Any]:
    measured = records_of(group)
    mean = metrics.mean_ratio(measured)
    answers = answers_of(group, metrics.enamel_score)
    eff_at = {k: metrics.mean_eff_at_k(answers, k) for k in ks}
    return {
        "suite": suite,
        "style": style,
        "passed": sum(s["outcome"] == Outcome.PASSED for s in group),
        "statuses": _statuses(measured),
        "inputs": input_counts(measured),
        "cpu_ratio": mean.estimate,
        "cpu_ratio_censored": mean.censored,
        "eff_at": {k: found for k, found in eff_at.items() if found is not None},
        "beyond": beyond_at_1(group),
        "standing": metrics.mean_over_problems(measured, metrics.standing),
        "effibench": metrics.effibench(measured),
        "instruction_ratio": metrics.mean_instructions(measured),
        "growth": growth_counts(measured, "growth"),
        "memory_growth": growth_counts(measured, "memory_growth"),
        "complexity": complexity(measured),
        "static": static_counts(measured),
    }


def _statuses(records: Sequence[dict[str, Any]]) -> dict[str, int]:
    tally = Counter(record["status"] for record in records)
    return {status: tally[status] for status in STATUSES if tally[status]}


def input_counts(records: Sequence[dict[str, Any]]) -> dict[str, int] | None:
    """Of the suite's own inputs, over problems: all, those tried, those under the floor. None where inputs are made to measure."""
    by_problem = {r["problem_id"]: r["inputs"] for r in records if r.get("inputs")}
    if not by_problem:
        return None
    return {name: sum(count[name] for count in by_problem.values()) for name in ("total", "tried", "under_floor")}


def growth_counts(records: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    """Programs whose cost grows faster than the reference's, slower, or cannot be told from it; None where none is known."""
    known = [(r[name], r[f"reference_{name}"]) for r in records if r.get(name) and r.get(f"reference_{name}")]
    if not known:
        return None
    faster = sum(mine["low"] > theirs["high"] for mine, theirs in known)
    slower = sum(mine["high"] < theirs["low"] for mine, theirs in known)
    return {
        "programs": len(known),
        "faster": faster,
        "slower": slower,
        "no_difference": len(known) - faster - slower,
        "median_exponent": median([mine["exponent"] for mine, _ in known]),
        "reference_median_exponent": median([theirs["exponent"] for _, theirs in known]),
    }


def complexity(records: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """radon's metrics: the median over problems of the answers' (a problem's answers averaged first) and of the references'."""
    known = [r for r in records if r.get("radon") and r.get("reference_radon")]
    if not known:
        return {}
    return {
        name: {
            "answers": _median_over_problems(known, _radon("radon", name)),
            "references": _median_over_problems(known, _radon("reference_radon", name)),
        }
        for name in COMPLEXITY
    }


def _radon(of: str, name: str) -> Callable[[metrics.Record], float | None]:
    return lambda record: float(record[of][name])


def _median_over_problems(records: Sequence[dict[str, Any]], value: Callable[[metrics.Record], float | None]) -> float:
    return median(list(metrics.per_problem(records, value).values()))


def static_counts(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """How many of the programs have which finding, null where nobody looked; and what was found by name."""
    return {
        "programs": sum(bool(record.get("static")) for record in records),
        **{name: found[0] if (found := counted(records, name)) else None for name in FINDINGS},
        "by_rule": by_name(records, "ruff"),
        "by_call": by_name(records, "dangerous_calls"),
        "by_unknown_module": by_name(records, "unknown_imports"),
    }
