"""Which columns tell the rows of a table apart: the run where there are several, the suite where there are several, the style."""

from __future__ import annotations

from collections.abc import Sequence

from cpu_codegen.report.summary import Cell, RunSummary


def who_columns(summaries: Sequence[RunSummary]) -> tuple[str, ...]:
    """The columns' names."""
    suites = {cell.suite for summary in summaries for cell in summary.cells}
    return (*(("run",) if len(summaries) > 1 else ()), *(("suite",) if len(suites) > 1 else ()), "style")


def who_is(summary: RunSummary, cell: Cell, columns: tuple[str, ...]) -> tuple[str, ...]:
    """One row's values in these columns; a run that a race stopped says so."""
    run = f"{summary.name} (stopped)" if summary.stop else summary.name
    return tuple({"run": run, "suite": cell.suite, "style": cell.style}[name] for name in columns)
