"""The efficiency of a run's passed answers as tables, per suite and style (figures: records.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpu_codegen.measure.findings import FINDINGS
from cpu_codegen.measure.metrics import speed_verdict
from cpu_codegen.measure.records import COMPLEXITY, Sample, efficiency_records
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.stats import Estimate

Rows = list[tuple[Cell, ...]]
_WHO = ("suite", "style")


def efficiency_tables(samples: Sequence[Sample], ks: Sequence[int] = (1, 10, 100)) -> list[Table]:
    """Against the reference; growth; the metrics of the literature; complexity; what the text shows. Empty tables are left out."""
    records = efficiency_records(samples, ks)
    makers = (_against_reference, _growth, _literature, _effibench, _complexity, _text)
    return [table for table in (make(records) for make in makers) if table.rows]


def _against_reference(records: list[dict[str, Any]]) -> Table:
    counted_in = any(r["instruction_ratio"] for r in records)
    rows: Rows = []
    for r in records:
        statuses = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in r["statuses"].items())
        bound = "≥ " if r["cpu_ratio_censored"] else ""
        more = (times(r["instruction_ratio"]),) if counted_in else ()
        ratio = f"{bound}{times(r['cpu_ratio'])}"
        rows.append(
            (
                *_who(r),
                r["passed"],
                statuses or "none",
                ratio,
                speed_verdict(r["cpu_ratio"]) or "–",
                *more,
                _inputs(r["inputs"]),
            )
        )
    columns = (*_WHO, "passed", "of these", "CPU time / reference [95 %]", "verdict")
    columns += (*(("instructions / reference",) if counted_in else ()), "inputs")
    return Table(
        columns, rows, title="Against the reference (geometric mean over problems)", right=frozenset(("passed",))
    )


def _who(record: dict[str, Any]) -> tuple[str, str]:
    return record["suite"], record["style"]


def _inputs(counts: dict[str, int] | None) -> str:
    """How many of a suite's own inputs are too quick for a verdict."""
    if counts is None:
        return "made to size"
    share_under = counts["under_floor"] / max(counts["tried"], 1)
    return f"{counts['under_floor']} of {counts['tried']} tried are under the floor ({share_under:.0%}; {counts['total']} in all)"


def _growth(records: list[dict[str, Any]]) -> Table:
    rows: Rows = []
    for r in records:
        for what, found in (("CPU time", r["growth"]), ("memory", r["memory_growth"])):
            if found is not None:
                exponents = f"n^{found['median_exponent']:.2f}", f"n^{found['reference_median_exponent']:.2f}"
                counts = (found["faster"], found["no_difference"], found["slower"])
                rows.append((*_who(r), what, found["programs"], *exponents, *counts))
    columns = (*_WHO, "of", "answers", "median", "reference", "grow faster", "no difference", "grow slower")
    return Table(columns, rows, title="Growth with size, against the reference's", right=frozenset(columns[3:]))


def _literature(records: list[dict[str, Any]]) -> Table:
    ks = sorted({k for r in records for k in r["eff_at"]})
    rows: Rows = [
        (*_who(r), *(share(r["eff_at"].get(k)) for k in ks), share(r["beyond"]), share(r["standing"])) for r in records
    ]
    columns = (*_WHO, *(f"eff@{k}" for k in ks), "Beyond", "standing")
    return Table(columns, rows, title="ENAMEL's eff@k, Mercury's Beyond, place between naive and reference")


def _effibench(records: list[dict[str, Any]]) -> Table:
    rows: Rows = []
    for r in records:
        found = r["effibench"]
        if found is not None:
            means = (f"{found.et_s:.4f} s", f"{found.mu_mb:.1f} MB", f"{found.tmu_mb_s:.3f} MB·s")
            sums = tuple(f"{value:.2f}" for value in (found.net, found.nmu, found.ntmu))
            geometric = tuple(map(times, (found.net_geometric, found.nmu_geometric, found.ntmu_geometric)))
            rows.append((*_who(r), found.problems, *means, *sums, *geometric))
    columns = (*_WHO, "problems", "ET", "MU", "TMU", "NET", "NMU", "NTMU", "NET, geometric", "NMU, g.", "NTMU, g.")
    return Table(columns, rows, title="EffiBench's metrics (docs/metrics.md)", right=frozenset(columns[2:9]))


def _complexity(records: list[dict[str, Any]]) -> Table:
    rows: Rows = [
        (*_who(r), *(f"{pair['answers']:.3g} v {pair['references']:.3g}" for pair in r["complexity"].values()))
        for r in records
        if r["complexity"]
    ]
    columns = (*_WHO, *(name.replace("_", " ") for name in COMPLEXITY))
    return Table(
        columns, rows, title="Complexity by radon: median answer v median reference", right=frozenset(columns[2:])
    )


def _text(records: list[dict[str, Any]]) -> Table:
    columns = (*_WHO, "programs", *(name.replace("_", " ") for name in FINDINGS))
    rows: Rows = [(*_who(r), r["static"]["programs"], *(r["static"][name] for name in FINDINGS)) for r in records]
    title = "Programs with such a finding (– = not looked for; cpu-codegen show RUN --finding NAME shows them)"
    return Table(columns, rows, title=title, right=frozenset(columns[2:]))


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
