"""The efficiency of a run's passed answers as tables, per suite and style. Input: samples as report/samples.py joins them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from cpu_codegen.measure import metrics
from cpu_codegen.report.tables import Table
from cpu_codegen.schema import Outcome
from cpu_codegen.stats import Estimate

Sample = dict[str, Any]
STATUSES = ("measured", "censored", "disturbed", "below_floor", "not_measured")


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


def enamel_scores(samples: Sequence[Sample]) -> dict[str, list[float]]:
    """e of every sample by problem: 0 for a wrong answer; a passed one that could not be timed is left out."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        passed = sample["outcome"] == Outcome.PASSED
        record = sample.get("efficiency")
        score = metrics.enamel_score(record) if record else None
        if not passed:
            score = 0.0
        if score is not None:
            found.setdefault(sample["problem_id"], []).append(score)
    return found


def beyond_scores(samples: Sequence[Sample]) -> Estimate | None:
    """Mercury's Beyond over the problems; wrong answers score 0, problems without a naive end are left out."""
    ended = {s["problem_id"] for s in samples if s.get("efficiency") and metrics.beyond(s["efficiency"]) is not None}
    rows = [s for s in samples if s["problem_id"] in ended]
    return metrics.mean_over_problems(rows, _beyond_of) if rows else None


def _beyond_of(sample: Any) -> float | None:
    if sample["outcome"] != Outcome.PASSED:
        return metrics.beyond(None)
    return metrics.beyond(sample["efficiency"]) if sample.get("efficiency") else None


def efficiency_records(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """One record per suite and style, for JSON."""
    records = []
    for suite, style, group in groups(samples):
        measured = records_of(group)
        mean = metrics.mean_ratio(measured)
        records.append(
            {
                "suite": suite,
                "style": style,
                "passed": sum(s["outcome"] == Outcome.PASSED for s in group),
                "statuses": _statuses(measured),
                "cpu_ratio": mean.estimate,
                "cpu_ratio_censored": mean.censored,
                "eff_at_1": metrics.mean_eff_at_k(enamel_scores(group), 1),
                "beyond": beyond_scores(group),
                "standing": metrics.mean_over_problems(measured, metrics.standing),
                "effibench": metrics.effibench(measured),
                "instruction_ratio": metrics.mean_instructions(measured),
                "static": static_counts(measured),
            }
        )
    return records


def _statuses(records: Sequence[dict[str, Any]]) -> dict[str, int]:
    tally = Counter(record["status"] for record in records)
    return {status: tally[status] for status in STATUSES if tally[status]}


def static_counts(records: Sequence[dict[str, Any]]) -> dict[str, int]:
    """How many of the programs have which finding of the text."""
    known = [record["static"] for record in records if record.get("static")]
    return {
        "programs": len(known),
        "third_party_imports": sum(bool(facts["third_party_imports"]) for facts in known),
        "unknown_imports": sum(bool(facts["unknown_imports"]) for facts in known),
        "dangerous_calls": sum(bool(facts["dangerous_calls"]) for facts in known),
        "unused_imports": sum(bool(facts["unused_imports"]) for facts in known),
        "ruff_findings": sum(bool(facts.get("ruff")) for facts in known),
    }


def efficiency_tables(samples: Sequence[Sample]) -> list[Table]:
    """Against the reference; the metrics of the literature; what the text shows."""
    records = efficiency_records(samples)
    return [_against_reference(records), _literature(records), _text(records)]


def _against_reference(records: list[dict[str, Any]]) -> Table:
    rows: list[tuple[str | int | float | None, ...]] = []
    for r in records:
        counted = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in r["statuses"].items())
        bound = "≥ " if r["cpu_ratio_censored"] else ""
        rows.append(
            (
                r["suite"],
                r["style"],
                r["passed"],
                counted or "none",
                f"{bound}{times(r['cpu_ratio'])}",
                _word(r["cpu_ratio"]),
            )
        )
    columns = ("suite", "style", "passed", "of these", "CPU time / reference [95 %]", "verdict")
    return Table(
        columns, rows, title="Against the reference (geometric mean over problems)", right=frozenset(("passed",))
    )


def _literature(records: list[dict[str, Any]]) -> Table:
    rows: list[tuple[str | int | float | None, ...]] = []
    for r in records:
        found = r["effibench"]
        effibench = (
            (times(found.net_geometric), times(found.nmu_geometric), times(found.ntmu_geometric))
            if found
            else (None, None, None)
        )
        rows.append(
            (r["suite"], r["style"], share(r["eff_at_1"]), share(r["beyond"]), share(r["standing"]), *effibench)
        )
    columns = ("suite", "style", "eff@1", "Beyond", "standing", "NET", "NMU", "NTMU")
    return Table(columns, rows, title="Metrics of the literature (docs/metrics.md)")


def _text(records: list[dict[str, Any]]) -> Table:
    names = ("third_party_imports", "unknown_imports", "dangerous_calls", "unused_imports", "ruff_findings")
    columns = ("suite", "style", "programs", *(name.replace("_", " ") for name in names))
    rows: list[tuple[str | int | float | None, ...]] = [
        (r["suite"], r["style"], r["static"]["programs"], *(r["static"][name] for name in names)) for r in records
    ]
    return Table(columns, rows, title="Programs with such a finding in their text", right=frozenset(columns[2:]))


def times(estimate: Estimate | None) -> str:
    """`1.02× [0.98, 1.07]`."""
    if estimate is None:
        return "not measured"
    return f"{estimate.value:.2f}× {_interval(estimate)}"


def share(estimate: Estimate | None) -> str:
    """`0.82 [0.70, 0.90]`."""
    return "not measured" if estimate is None else f"{estimate.value:.2f} {_interval(estimate)}"


def _interval(estimate: Estimate) -> str:
    if estimate.n < 2:
        return "(one problem: no interval)"
    return f"[{estimate.low:.2f}, {estimate.high:.2f}]"


def _word(estimate: Estimate | None) -> str:
    if estimate is None or estimate.n < 2:
        return "–"
    if estimate.low > 1:
        return "slower"
    return "faster" if estimate.high < 1 else "no difference"
