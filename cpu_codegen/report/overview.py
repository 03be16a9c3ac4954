"""The tables of a report: the overview, levels, outcomes, styles side by side; for any number of runs, in any text format."""

from __future__ import annotations

import math
from collections.abc import Sequence

from cpu_codegen.report import figures
from cpu_codegen.report.records import flat_record
from cpu_codegen.report.stopped import stopped_table
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.report.tables import Cell as TableCell
from cpu_codegen.report.tables import Table
from cpu_codegen.schema import Outcome

_NUMBERS = frozenset(
    ("pass@1 [95 %]", "s/problem", "tok/s", "peak RAM", "correct/h", "n", "passed", "format kept", *map(str, Outcome))
)


def _who(summaries: Sequence[RunSummary]) -> tuple[str, ...]:
    """Columns that tell rows apart: the run where there are several, the suite where there are several."""
    suites = {cell.suite for summary in summaries for cell in summary.cells}
    return (*(("run",) if len(summaries) > 1 else ()), *(("suite",) if len(suites) > 1 else ()), "style")


def _names(summary: RunSummary, cell: Cell, who: tuple[str, ...]) -> tuple[str, ...]:
    return tuple({"run": summary.name, "suite": cell.suite, "style": cell.style}[name] for name in who)


def ranked(summaries: Sequence[RunSummary], *, stopped: bool = False) -> list[tuple[RunSummary, Cell]]:
    """Runs, suites and styles as rows; of several runs the best of each suite first, by pass@1, then by seconds.

    Runs that a race stopped are left out (they have a table of their own) unless they are asked for.
    """
    rows = [(s, cell) for s in summaries if stopped or s.stop is None for cell in s.overall()]
    if len(summaries) < 2:
        return rows
    suites = list(dict.fromkeys(cell.suite for _, cell in rows))

    def place(row: tuple[RunSummary, Cell]) -> tuple[int, float, float]:
        cell, seconds = row[1], row[1].cost.seconds_per_problem
        return (
            suites.index(cell.suite),
            -(cell.pass1.value if cell.pass1 else -1.0),
            math.inf if seconds is None else seconds,
        )

    return sorted(rows, key=place)


def overview(summaries: Sequence[RunSummary]) -> Table:
    """One row per run, suite and style: what it solves, what it costs, how good its code is."""
    who = _who(summaries)
    columns = (*who, "n", "pass@1 [95 %]", "s/problem", "tok/s", "peak RAM", "correct/h", "efficiency v reference")
    rows: list[tuple[TableCell, ...]] = [
        (
            *_names(summary, cell, who),
            figures.count(cell),
            figures.share(cell.pass1),
            figures.number(cell.cost.seconds_per_problem),
            figures.number(cell.cost.tokens_per_s),
            figures.size(cell.cost.peak_rss_bytes),
            figures.number(cell.cost.correct_per_hour),
            figures.efficiency(cell.efficiency),
        )
        for summary, cell in ranked(summaries)
    ]
    return Table(columns, rows, right=_NUMBERS & set(columns))


def levels(summaries: Sequence[RunSummary]) -> Table:
    """pass@1 by level."""
    who = _who(summaries)
    columns = (*who, "level", "n", "passed", "pass@1 [95 %]", "format kept")
    rows: list[tuple[TableCell, ...]] = [
        (
            *_names(summary, cell, who),
            cell.level,
            cell.n,
            cell.passed,
            figures.share(cell.pass1),
            figures.share(cell.format_ok),
        )
        for summary in summaries
        for cell in summary.cells
    ]
    return Table(columns, rows, title="by level", right=_NUMBERS & set(columns))


def outcomes(summaries: Sequence[RunSummary]) -> Table:
    """How many samples ended how; harness errors count against no model."""
    who = _who(summaries)
    cells = [(summary, cell) for summary in summaries for cell in summary.overall()]
    seen = [o.value for o in Outcome if any(cell.outcomes.get(o.value) for _, cell in cells)]
    columns = (*who, *seen, "cut at --max-tokens", "unknown")
    rows: list[tuple[TableCell, ...]] = [
        (*_names(summary, cell, who), *(cell.outcomes.get(name, 0) for name in seen), cell.cut, cell.unknown)
        for summary, cell in cells
    ]
    return Table(columns, rows, title="outcomes", right=frozenset(columns) - set(who))


def latency_and_energy(summaries: Sequence[RunSummary]) -> Table:
    """What needs a single stream or a counter, or why it is absent."""
    who = _who(summaries)
    columns = (*who, "time to first token", "correct/Wh", "width", "tokens of reasoning")
    rows: list[tuple[TableCell, ...]] = [
        (
            *_names(summary, cell, who),
            figures.first_token(cell),
            figures.number(cell.cost.correct_per_wh) if cell.cost.correct_per_wh is not None else cell.cost.energy_why,
            cell.cost.width,
            cell.reasoning_tokens,
        )
        for summary in summaries
        for cell in summary.overall()
    ]
    return Table(columns, rows, title="latency and energy", right=frozenset({"width", "tokens of reasoning"}))


def paired_styles(summaries: Sequence[RunSummary]) -> Table:
    """Styles on the same problems."""
    columns = ("run", "suite", "styles", "difference of pass@1 [95 %]", "verdict", "test", "pairs")
    rows: list[tuple[TableCell, ...]] = [
        (
            summary.name,
            pair.suite,
            f"{pair.style} {figures.MINUS} {pair.baseline}",
            figures.difference(pair.difference),
            pair.verdict,
            f"{pair.test} {figures.probability(pair.p)}",
            pair.n,
        )
        for summary in summaries
        for pair in summary.pairs
    ]
    return Table(columns, rows, title="styles on the same problems", right=frozenset({"pairs"}))


def all_tables(summaries: Sequence[RunSummary]) -> list[Table]:
    """Everything that a report prints, the answer first; tables without rows are left out."""
    makers = (overview, stopped_table, levels, outcomes, paired_styles, latency_and_energy)
    return [table for table in (make(summaries) for make in makers) if table.rows]


def flat(summaries: Sequence[RunSummary]) -> Table:
    """Every cell as one flat record: for csv and jsonl."""
    records = [flat_record(summary, cell) for summary in summaries for cell in summary.cells]
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    return Table(columns, [tuple(record.get(name) for name in columns) for record in records])


def notes(summaries: Sequence[RunSummary], *, name_demo: bool = True) -> list[str]:
    """What a reader must know beside the numbers, in short sentences."""
    said: list[str] = []
    for summary in summaries:
        prefix = f"{summary.name}: " if len(summaries) > 1 else ""
        status = summary.manifest.get("status")
        if status != "finished":
            said.append(f"{prefix}the run is {status}: {len(summary.samples)} of {wanted(summary)} answers so far")
        if summary.faults:
            said.append(f"{prefix}{summary.faults} samples met a harness error; they count for nothing")
        cut = sum(cell.cut for cell in summary.overall())
        if cut:
            said.append(f"{prefix}{cut} answers were cut at --max-tokens")
        for cell in summary.overall():
            if cell.efficiency.ratio and cell.efficiency.why:
                said.append(f"{prefix}efficiency, {cell.style} {cell.efficiency.why}")
        if name_demo and is_demo(summary):
            said.append(f"{prefix}demo model: it has seen the problems; its score says nothing about any real model")
    return said


def is_demo(summary: RunSummary) -> bool:
    """True for the packaged fixture, which has seen the problems."""
    model = summary.manifest.get("model", {})
    return "demo" in (model.get("alias"), model.get("name"))


def wanted(summary: RunSummary) -> int:
    """How many answers the run's scope asks for."""
    scope = summary.manifest.get("scope", {})
    return len(scope.get("problems", [])) * len(scope.get("styles", [])) * int(scope.get("n", 1))
