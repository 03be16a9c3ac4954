"""The tables of a report: the overview, levels, outcomes, styles side by side; for any number of runs, in any text format."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache

from cpu_codegen.counts import count_of
from cpu_codegen.packaged import PACKAGE
from cpu_codegen.report import figures
from cpu_codegen.report.alarm import alarm_notes
from cpu_codegen.report.flips import flips_line
from cpu_codegen.report.groups import group_notes, groups_of
from cpu_codegen.report.kinds import kinds_table
from cpu_codegen.report.lengths import lengths_table
from cpu_codegen.report.reasoning import SELECTED
from cpu_codegen.report.records import flat_record
from cpu_codegen.report.stopped import race_table, stopped_table
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.report.tables import Cell as TableCell
from cpu_codegen.report.tables import Table
from cpu_codegen.report.who import who_columns, who_is
from cpu_codegen.schema import Outcome

_NUMBERS = frozenset(
    ("pass@1 [95 %]", "s/problem", "tok/s", "peak RAM", "correct/h", "n", "passed", "format kept", *map(str, Outcome))
)


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
    who = who_columns(summaries)
    columns = (*who, "n", "pass@1 [95 %]", "s/problem", "tok/s", "peak RAM", "correct/h", "efficiency v reference")
    rows: list[tuple[TableCell, ...]] = [
        (
            *who_is(summary, cell, who),
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
    who = who_columns(summaries)
    columns = (*who, "level", "n", "passed", "pass@1 [95 %]", "format kept")
    rows: list[tuple[TableCell, ...]] = [
        (
            *who_is(summary, cell, who),
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
    who = who_columns(summaries)
    cells = [(summary, cell) for summary in summaries for cell in summary.overall()]
    seen = [o.value for o in Outcome if any(cell.outcomes.get(o.value) for _, cell in cells)]
    columns = (*who, *seen, "cut at --max-tokens", "unknown")
    rows: list[tuple[TableCell, ...]] = [
        (*who_is(summary, cell, who), *(cell.outcomes.get(name, 0) for name in seen), cell.cut, cell.unknown)
        for summary, cell in cells
    ]
    return Table(columns, rows, title="outcomes", right=frozenset(columns) - set(who))


def reasoning(summaries: Sequence[RunSummary]) -> Table:
    """What reasoning took and how it ended, of the cells that reasoned; and pass@1 without what was cut off, labelled."""
    who = who_columns(summaries)
    columns = (
        *who,
        *("reasoned", "tokens", "seconds", "of the time", "ended by model / budget / loop", "cut off [95 %]"),
        f"pass@1 without cut-offs ({SELECTED})",
    )
    rows: list[tuple[TableCell, ...]] = []
    for summary in summaries:
        for cell in summary.overall():
            found = cell.reasoning
            if found.reasoned:
                time = None if found.share_of_time is None else f"{found.share_of_time:.0%}"
                ends = " / ".join(str(found.ended.get(end, 0)) for end in ("model", "budget", "loop"))
                spent = (
                    f"{found.reasoned} of {found.answers}",
                    f"{found.tokens:,}",
                    figures.number(found.seconds),
                    time,
                )
                rates = (figures.share(found.share_cut), figures.share(found.uncut))
                rows.append((*who_is(summary, cell, who), *spent, ends, *rates))
    return Table(columns, rows, title="reasoning", right=frozenset({"reasoned", "tokens", "seconds", "of the time"}))


def latency_and_energy(summaries: Sequence[RunSummary]) -> Table:
    """What needs a single stream or a counter, or why it is absent."""
    who = who_columns(summaries)
    columns = (*who, "time to first token", "correct/Wh", "width", "tokens of reasoning")
    rows: list[tuple[TableCell, ...]] = [
        (
            *who_is(summary, cell, who),
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
    tables = (overview, stopped_table, levels, outcomes, kinds_table, lengths_table, reasoning, paired_styles)
    makers = (*tables, latency_and_energy, race_table)
    return [table for table in (make(summaries) for make in makers) if table.rows]


def flat(summaries: Sequence[RunSummary]) -> Table:
    """Every cell as one flat record: for csv and jsonl."""
    records = [flat_record(summary, cell) for summary in summaries for cell in summary.cells]
    columns = tuple(dict.fromkeys(name for record in records for name in record))
    return Table(columns, [tuple(record.get(name) for name in columns) for record in records])


def notes(summaries: Sequence[RunSummary], *, name_demo: bool = True, efficiency: bool = True) -> list[str]:
    """What a reader must know beside the numbers, in short sentences."""
    said = [note for group in groups_of([summary.path for summary in summaries]) for note in group_notes(group)]
    for summary in summaries:
        prefix = f"{summary.name}: " if len(summaries) > 1 else ""
        status = summary.manifest.get("status")
        if status != "finished" and summary.stop is None:
            said.append(
                f"{prefix}the run is {status}: {len(summary.samples)} of {count_of(wanted(summary), 'answer')} so far"
            )
        if any(cell.unknown for cell in summary.overall()):
            said.append(f"{prefix}{_unknown(summary)}")
        if summary.faults:
            met = count_of(
                summary.faults, "sample met a harness error and counts", "samples met a harness error and count"
            )
            said.append(f"{prefix}{met} for nothing")
        cut = sum(cell.cut for cell in summary.overall())
        if cut:
            said.append(f"{prefix}{count_of(cut, 'answer was', 'answers were')} cut at --max-tokens")
        left_out = sum(cell.cost.left_out for cell in summary.overall())
        if left_out:
            were = count_of(left_out, "answer was", "answers were")
            said.append(f"{prefix}{were} taken over from another width: in pass@1, not in seconds and rates")
        said += [prefix + note for note in _broken_tasks(summary)]
        said += [prefix + note for note in _reasoning_notes(summary)]
        said += [prefix + note for note in [*served_notes(summary), *alarm_notes(summary)]]
        for cell in summary.overall():
            if efficiency and cell.efficiency.ratio and cell.efficiency.why:
                said.append(f"{prefix}efficiency, {cell.style} {cell.efficiency.why}")
        said += [f"{prefix}{flips_line(flips)}" for flips in summary.flips]
        if name_demo and is_demo(summary):
            said.append(f"{prefix}demo model: it has seen the problems; its score says nothing about any real model")
    return said


def _broken_tasks(summary: RunSummary) -> list[str]:
    """Tasks of one's own that --keep-going left out: the figures are not of the whole suite."""
    counts = {name: len(facts.get("left_out") or []) for name, facts in summary.manifest.get("suites", {}).items()}
    return [
        f"{name}: {count_of(n, 'broken task')} left out (manifest.json names them)" for name, n in counts.items() if n
    ]


def served_notes(summary: RunSummary) -> list[str]:
    """Of a run on a server: whose clock the times are by, and what is not known of it."""
    engine, served = summary.manifest.get("engine") or {}, summary.manifest.get("served")
    if not served:
        return []
    where = (
        "" if served.get("is_local") else "; it ran on another machine, so seconds and memory say nothing of this one"
    )
    return [
        f"answers came from {served['kind']} at {served['url']}; times are {engine.get('timings') or 'client-side'}{where}"
    ]


def _reasoning_notes(summary: RunSummary) -> list[str]:
    """What reasoning took and what was cut off, per suite and style; and that --think was ignored."""
    said: list[str] = []
    looped = sum(cell.reasoning.looped for cell in summary.overall())
    if looped:
        went = count_of(looped, "answer went round in circles and was", "answers went round in circles and were")
        said.append(f"{went} stopped")
    for cell in summary.overall():
        found = cell.reasoning
        if found.reasoned:
            part = "" if found.share_of_time is None else f" ({found.share_of_time:.0%} of the time)"
            spent = f"{found.tokens:,} tokens and {figures.number(found.seconds)} s{part}"
            of = f"{found.reasoned} of {count_of(found.answers, 'answer')}"
            line = f"reasoning, {cell.style}: {spent} in {of}; {found.cut} cut off"
            without = f", pass@1 without them {figures.share(found.uncut)} ({SELECTED})" if found.uncut else ""
            said.append(line + without)
    thinking = summary.manifest.get("thinking") or {}
    if thinking.get("state") == "none" and thinking.get("asked") != "auto":
        said.append(str(thinking.get("note")))
    return said


def _unknown(summary: RunSummary) -> str:
    count = sum(cell.unknown for cell in summary.overall())
    are = count_of(count, "answer is", "answers are")
    said = f"{are} unknown (not finished or not judged): intervals run from all of them failed to all passed"
    never = len(summary.unfinished)
    return f"{said}; seconds and tokens leave out the {never} that never came" if never else said


def is_demo(summary: RunSummary) -> bool:
    """True for the packaged fixture, which has seen the problems, and for a copy of its file under another name."""
    model = summary.manifest.get("model", {})
    return "demo" in (model.get("alias"), model.get("name")) or model.get("sha256") == _demo_digest()


@cache
def _demo_digest() -> str:
    """The digest of the packaged model, as its card has it."""
    return str(json.loads((PACKAGE / "data" / "demo.json").read_text(encoding="utf-8"))["gguf_sha256"])


def wanted(summary: RunSummary) -> int:
    """How many answers the run's scope asks for."""
    scope = summary.manifest.get("scope", {})
    return len(scope.get("problems", [])) * len(scope.get("styles", [])) * int(scope.get("n", 1))
