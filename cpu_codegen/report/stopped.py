"""Runs that a race stopped: a table of their own, because the data chose their n, so no ordinary interval or pairing holds."""

from __future__ import annotations

from collections.abc import Sequence

from cpu_codegen.race import Stop
from cpu_codegen.report import figures
from cpu_codegen.report.groups import shown_name
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell, Table

TITLE = "stopped by the race (their intervals hold at any look; they stand in no paired table)"
COLUMNS = ("run", "suite", "style", "n", "pass@1 [anytime 95 %]", "s/problem", "look", "stopped by", "on problems", "E")


def stopped_table(summaries: Sequence[RunSummary]) -> Table:
    """One row per stopped run, suite and style: n, what it scored, the look that decided and on what evidence."""
    rows: list[tuple[Cell, ...]] = [
        (
            summary.name,
            cell.suite,
            cell.style,
            figures.count(cell),
            figures.share(cell.pass1),
            figures.number(cell.cost.seconds_per_problem),
            summary.stop.look,
            shown_name(summary.path, summary.stop.rival),
            summary.stop.problems,
            evidence(summary.stop),
        )
        for summary in summaries
        if summary.stop is not None
        for cell in summary.overall()
    ]
    return Table(COLUMNS, rows, title=TITLE, right=frozenset(("s/problem", "look", "on problems")))


def evidence(stop: Stop) -> str:
    """`57 (limit 20)`."""
    value = figures.number(stop.evidence) if stop.evidence < 1e6 else f"{stop.evidence:.0e}"
    return f"{value} (limit {stop.threshold:g})"
