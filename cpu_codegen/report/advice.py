"""The answer to "which model should I run here?": one sentence from the measured rows, by a rule that it states.

The rule: of the rows that are fast enough to use, take the fastest whose pass@1 is not shown to be below the best one's (paired
on the common problems, 95 %). Where none is fast enough, or seconds were not measured or come from several machines, none is
named. Not covered: models that were not run (plan/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpu_codegen.config import MIN_SPEED_TOKENS_S
from cpu_codegen.report import figures
from cpu_codegen.report.groups import common_blocks, within
from cpu_codegen.report.overview import is_demo
from cpu_codegen.report.rates import paired
from cpu_codegen.report.summary import Cell, RunSummary

RULE = (
    f"Rule: of the rows with at least {MIN_SPEED_TOKENS_S:g} tokens/s, the fastest whose pass@1 is not shown to be below the "
    "best one's (paired on the common problems, 95 %)."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One model in one style on one suite."""

    summary: RunSummary
    cell: Cell

    @property
    def label(self) -> str:
        """Model and style in words."""
        return f"{self.summary.model} ({self.cell.style})"

    @property
    def seconds(self) -> float:
        """Seconds per problem; rows without a figure come last."""
        value = self.cell.cost.seconds_per_problem
        return float("inf") if value is None else value

    @property
    def is_fast(self) -> bool:
        """Fast enough to be used."""
        return (self.cell.cost.tokens_per_s or 0.0) >= MIN_SPEED_TOKENS_S

    @property
    def score(self) -> float:
        """pass@1, -1 without one."""
        return self.cell.pass1.value if self.cell.pass1 else -1.0


@dataclass(frozen=True, slots=True)
class Advice:
    """`sentence` answers; `because` says why; `rule` how it was chosen. `row` is None where nothing can be advised."""

    sentence: str
    because: str
    rule: str
    row: Row | None


def advise(summaries: Sequence[RunSummary]) -> Advice:
    """The advice over all runs, on the suite that most of them share."""
    rows = _rows(summaries)
    if not rows:
        return Advice(
            "Nothing is judged yet: no model can be advised.", "Run the same command again to go on.", "", None
        )
    real = [row for row in rows if not is_demo(row.summary)]
    if not real:
        return Advice(
            "No advice: this run is the demo model, which has seen the problems.",
            f"It passes {_solved(max(rows, key=lambda r: r.score))}, which says nothing about any real model; "
            "cpu-codegen plan shows the models that fit this machine.",
            "",
            None,
        )
    best, fast = _best(real), [row for row in real if row.is_fast]
    why_none = _why_none(real, fast)
    if why_none:
        return Advice(why_none, f"{best.label} solves most: {_solved(best)} at {_pace(best)}.", "", None)
    chosen = _choose(fast, best)
    return Advice(f"On this machine: {chosen.label}.", _because(chosen, best, real), RULE, chosen)


def _best(rows: Sequence[Row]) -> Row:
    return max(rows, key=lambda r: (r.score, -r.seconds))


def _why_none(rows: Sequence[Row], fast: Sequence[Row]) -> str:
    """Why no row may be named, "" where one may."""
    timed = [row for row in rows if row.cell.cost.tokens_per_s is not None]
    machines = {(row.summary.manifest.get("machine") or {}).get("id") for row in timed}
    if not timed:
        return "No advice: what these answers cost was not measured here."
    if len(machines) > 1:
        return f"No advice: these runs come from {len(machines)} machines, and seconds of one say nothing of another."
    return "" if fast else f"None of these: no row reaches {MIN_SPEED_TOKENS_S:g} tokens/s on this machine."


def _rows(summaries: Sequence[RunSummary]) -> list[Row]:
    rows = [Row(s, c) for s in summaries if s.stop is None for c in s.overall() if c.pass1 is not None]
    suites = [row.cell.suite for row in rows]
    common = max(dict.fromkeys(suites), key=suites.count, default="")
    return [row for row in rows if row.cell.suite == common]


def _choose(fast: Sequence[Row], best: Row) -> Row:
    """Of the fast rows the fastest that is not shown to be below the best; where all are, below the best of the fast ones."""
    level = [row for row in fast if not shown_below(row, best)]
    if not level:
        foremost = _best(fast)
        level = [row for row in fast if not shown_below(row, foremost)]
    return min(level, key=lambda r: (r.seconds, -r.score))


def shown_below(row: Row, other: Row) -> bool:
    """True when the paired interval of row − other lies below 0."""
    if row is other:
        return False
    blocks = common_blocks(row.summary.path, other.summary.path)
    ours, theirs = (within(_samples(each), blocks) for each in (row, other))
    pair = paired(ours, theirs, suite=row.cell.suite, style=row.label, baseline=other.label)
    return pair is not None and pair.difference.high < 0


def _samples(row: Row) -> list[dict[str, object]]:
    cell, every = row.cell, [*row.summary.samples, *row.summary.unfinished]
    return [s for s in every if s["suite"] == cell.suite and s["style"] == cell.style]


def _because(chosen: Row, best: Row, rows: list[Row]) -> str:
    parts = [f"It solves {_solved(chosen)} at {_pace(chosen)}."]
    if len({row.summary.path for row in rows}) == 1:
        parts.append("No other model was run here, so there is nothing to compare it with.")
    faster = [row for row in rows if row.seconds < chosen.seconds and row.score > chosen.score]
    if not faster and len(rows) > 1:
        parts.append("Nothing faster solves more.")
    if best is not chosen and best.score > chosen.score:
        parts.append(_price(chosen, best))
    return " ".join(parts)


def _solved(row: Row) -> str:
    cell = row.cell
    so_far = " so far" if cell.wanted and cell.wanted > cell.n else ""
    unknown = f", {cell.unknown} unknown" if cell.unknown else ""
    return f"{cell.passed} of {cell.n}{so_far} ({cell.suite}, pass@1 {figures.share(cell.pass1)}{unknown})"


def _pace(row: Row) -> str:
    cost = row.cell.cost
    if cost.seconds_per_problem is None:
        return "a cost that was not measured"
    return f"{figures.number(cost.seconds_per_problem)} s per problem and {figures.size(cost.peak_rss_bytes)}"


def _price(chosen: Row, best: Row) -> str:
    points = round(100 * (best.score - chosen.score))
    known = chosen.seconds < float("inf") and best.seconds < float("inf")
    wait = f" at {figures.number(best.seconds / chosen.seconds, 2)} times the wait" if known else ""
    sure = "" if shown_below(chosen, best) else ", a difference that these problems do not show to be real"
    return f"{best.label} solves {points} points more{wait}{sure}."
