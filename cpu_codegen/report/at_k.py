"""pass@k for the k that somebody asked for, per run, suite and style: `report --k 1,5`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cpu_codegen.report import figures
from cpu_codegen.report.rates import pass_at
from cpu_codegen.report.records import estimate_record
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.stats import Estimate


def _groups(
    summaries: Sequence[RunSummary], ks: Sequence[int]
) -> Iterator[tuple[tuple[str, ...], dict[int, Estimate]]]:
    for summary in summaries:
        for cell in summary.overall():
            samples = [s for s in summary.samples if s["suite"] == cell.suite and s["style"] == cell.style]
            yield (summary.name, cell.suite, cell.style), pass_at(samples, ks)


def at_k_table(summaries: Sequence[RunSummary], ks: Sequence[int]) -> Table:
    """One column for each k; "–" where a problem has fewer samples than k."""
    rows: list[tuple[Cell, ...]] = [
        (*who, *(figures.share(found[k]) if k in found else None for k in ks)) for who, found in _groups(summaries, ks)
    ]
    columns = ("run", "suite", "style", *(f"pass@{k}" for k in ks))
    return Table(
        columns, rows, title="pass@k [95 %] (– = fewer samples of a problem than k)", right=frozenset(columns[3:])
    )


def at_k_records(summaries: Sequence[RunSummary], ks: Sequence[int]) -> list[dict[str, Any]]:
    """The same for JSON; null where it is not defined."""
    return [
        {
            **dict(zip(("run", "suite", "style"), who, strict=True)),
            **{f"pass@{k}": estimate_record(found.get(k)) for k in ks},
        }
        for who, found in _groups(summaries, ks)
    ]
