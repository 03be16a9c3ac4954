"""What the page says of passed code: per sample, and per suite and style of a run (figures of measure/records.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cpu_codegen.measure.findings import FINDINGS, counted, has_finding
from cpu_codegen.measure.records import COMPLEXITY, efficiency_records, groups, records_of
from cpu_codegen.report.records import estimate_record
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.stats import Estimate

_FIELDS = (
    "status",
    "reason",
    "size",
    "cpu_ratio",
    "cpu_s",
    "reference_cpu_s",
    "memory_bytes",
    "reference_memory_bytes",
    "growth",
    "reference_growth",
    "memory_growth",
    "reference_memory_growth",
)
_LISTED = 12  # names of one finding that a sample shows
_MARKED = 2000  # lines of one program that are marked


def sample_efficiency(record: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """One answer's measurement: ratio, memory, growth, radon's figures, unreached lines, findings with their names."""
    if record is None:
        return None
    shown = {name: record[name] for name in _FIELDS if record.get(name) is not None}
    for name in ("radon", "reference_radon"):
        if record.get(name):
            shown[name] = {metric: record[name].get(metric) for metric in COMPLEXITY}
    if record.get("unreached"):
        shown["unreached"] = {**record["unreached"], "lines": record["unreached"]["lines"][:_MARKED]}
    if record.get("static") or record.get("unreached"):
        shown["findings"] = {name: _names(record, name) for name in FINDINGS if has_finding(record, name)}
    return shown


def _names(record: Mapping[str, Any], finding: str) -> str:
    """What exactly was found: names with their counts, line numbers, or a count."""
    static = record.get("static") or {}
    if finding == "unreached_lines":
        return _few([str(line) for line in record["unreached"]["lines"]])
    if finding in ("ruff", "bandit"):
        rules = {rule: n for rule, n in static["ruff"].items() if rule.startswith("S") == (finding == "bandit")}
        return _few([_times(rule, n) for rule, n in rules.items()])
    found = static[finding]
    if isinstance(found, dict):
        return _few([_times(name, n) for name, n in found.items()])
    return _few([str(name) for name in found]) if isinstance(found, list) else str(found)


def _times(name: str, count: int) -> str:
    return name if count == 1 else f"{name} ×{count}"


def _few(names: list[str]) -> str:
    more = f", and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more


def efficiency_rows(summary: RunSummary, run: int) -> list[dict[str, Any]]:
    """One record per suite and style with a measured answer, the same figures as `cpu-codegen efficiency` prints."""
    measured = {(suite, style): records_of(group) for suite, style, group in groups(summary.samples)}
    records = {(record["suite"], record["style"]): record for record in efficiency_records(summary.samples)}
    names = [(cell.suite, cell.style) for cell in summary.overall()]
    return [_row(records[name], measured[name], run) for name in names if measured.get(name)]


def _row(record: dict[str, Any], measured: list[dict[str, Any]], run: int) -> dict[str, Any]:
    kept = {name: record[name] for name in ("suite", "style", "passed", "statuses", "growth", "memory_growth")}
    return {
        "run": run,
        **kept,
        "complexity": record["complexity"],
        "findings": {name: found for name in FINDINGS if (found := counted(measured, name)) is not None},
        "literature": _literature(record),
    }


def _literature(record: dict[str, Any]) -> dict[str, Any]:
    """The published metrics by name; absent ones were not measured."""
    named: dict[str, Estimate | None] = {f"eff@{k}": value for k, value in record["eff_at"].items()}
    named |= {"Beyond": record["beyond"], "standing": record["standing"]}
    found: dict[str, Any] = {name: estimate_record(value) for name, value in named.items() if value is not None}
    bench = record["effibench"]
    if bench is not None:
        found |= {"ET": bench.et_s, "MU": bench.mu_mb, "TMU": bench.tmu_mb_s}
        found |= {"NET": bench.net, "NMU": bench.nmu, "NTMU": bench.ntmu}
    return found
