"""Runs that a race stopped: a table of their own, because the data chose their n, so no ordinary interval or pairing holds."""

from __future__ import annotations

from collections.abc import Sequence

from cpu_codegen.race import Duel, Look, Stop
from cpu_codegen.report import figures
from cpu_codegen.report.groups import groups_of, race_of, shown_name, stops_of
from cpu_codegen.report.summary import Cell as SummaryCell
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell, Table

TITLE = "stopped by the race (their intervals hold at any look; they stand in no paired table)"
COLUMNS = ("run", "suite", "style", "n", "pass@1 [anytime 95 %]", "s/problem", "look", "stopped by", "on problems", "E")


def stopped_table(summaries: Sequence[RunSummary]) -> Table:
    """One row per stopped run, suite and style: n, what it scored, the look that decided and on what evidence."""
    rows = [_row(summary, cell) for summary in summaries if summary.stop is not None for cell in summary.overall()]
    return Table(COLUMNS, rows, title=TITLE, right=frozenset(("s/problem", "look", "on problems")))


def _row(summary: RunSummary, cell: SummaryCell) -> tuple[Cell, ...]:
    """A suite that was answered to its end before the stop decided nothing: no rival stands there."""
    scored = (figures.count(cell), figures.share(cell.pass1), figures.number(cell.cost.seconds_per_problem))
    stop = next((stop for stop in stops_of(summary.path) if stop.suite in ("", cell.suite)), None)
    if stop is None:
        return (summary.name, cell.suite, cell.style, *scored, None, None, None, None)
    rival = shown_name(summary.path, stop.rival)
    return (summary.name, cell.suite, cell.style, *scored, stop.look, rival, stop.problems, evidence(stop))


def evidence(stop: Stop) -> str:
    """`57 (limit 20)`."""
    return f"{_large(stop.evidence)} (limit {stop.threshold:g})"


def _large(value: float) -> str:
    return figures.number(value) if value < 1e6 else f"{value:.0e}"


def race_table(summaries: Sequence[RunSummary]) -> Table:
    """The race's log: at each look, on each suite, for each model that was behind, the rival with the strongest case against it."""
    rows: list[tuple[Cell, ...]] = []
    for race in (race for path in groups_of([s.path for s in summaries]) if (race := race_of(path)) is not None):
        for look in race.looks:
            rows += [_look(look, duel) for duel in _strongest(look, race.models)]
    columns = ("look", "suite", "model", "behind", "on problems", "E", "limit", "so")
    return Table(columns, rows, title="the race, look by look", right=frozenset(("look", "on problems", "E", "limit")))


def _strongest(look: Look, models: Sequence[str]) -> list[Duel]:
    duels = sorted(look.duels, key=lambda duel: (duel.slower, -duel.evidence))
    found: dict[tuple[int, str], Duel] = {}
    for duel in duels:
        if duel.model in models:
            found.setdefault((models.index(duel.model), duel.suite), duel)
    return [found[place] for place in sorted(found)]


def _look(look: Look, duel: Duel) -> tuple[Cell, ...]:
    limit = f"{look.threshold:g}"
    row = (look.look, duel.suite or None, duel.model, duel.rival, duel.problems, _large(duel.evidence), limit)
    return (*row, _so(look, duel))


def _so(look: Look, duel: Duel) -> str:
    if duel.model in look.stopped:
        return "stopped"
    if duel.slower:
        return "goes on, the other is slower"
    return "goes on, not behind on every suite" if duel.evidence >= look.threshold else "goes on"
