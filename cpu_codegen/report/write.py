"""Summaries → stdout in the format that was asked for. HTML is a page of its own (page/)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

from cpu_codegen.report import figures, overview
from cpu_codegen.report.at_k import at_k_records, at_k_table
from cpu_codegen.report.elsewhere import Elsewhere, elsewhere_table
from cpu_codegen.report.escape import for_markdown, for_terminal, visible
from cpu_codegen.report.formats import Format
from cpu_codegen.report.gate import gate_record, gate_table, with_gates
from cpu_codegen.report.groups import group_facts, groups_of
from cpu_codegen.report.records import run_record
from cpu_codegen.report.stopped import stopped_table
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import write_table
from cpu_codegen.requirements import Gate


def write_summaries(
    summaries: Sequence[RunSummary],
    output: Format,
    stream: IO[str],
    *,
    full: bool = True,
    others: Sequence[Elsewhere] = (),
    gates: Sequence[Gate] = (),
    ks: Sequence[int] | None = None,
) -> None:
    """Writes runs in one format. `full` adds levels, outcomes and the rest to the overview (table, md, latex).

    `others` were measured elsewhere: a table of their own, a member of their own in JSON; in csv and jsonl they have no place.
    `gates`: what `--require` said of each run; in csv and jsonl two columns. `ks`: pass@k for these k, as another table or member.
    """
    if output is Format.JSON:
        told = as_object(summaries) | ({"measured_elsewhere": [asdict(other) for other in others]} if others else {})
        told |= {"requirements": [gate_record(gate) for gate in gates]} if gates else {}
        told |= {"pass_at_k": at_k_records(summaries, ks)} if ks else {}
        stream.write(json.dumps(told, indent=1, allow_nan=False) + "\n")
    elif output in (Format.CSV, Format.JSONL):
        owners = [number for number, summary in enumerate(summaries) for _ in summary.cells]
        write_table(with_gates(overview.flat(summaries), gates, owners), output, stream)
    else:
        _write_tables(summaries, output, stream, full=full)
        beside = [*([elsewhere_table(list(others))] if others else []), *([gate_table(gates)] if gates else [])]
        beside += [at_k_table(summaries, ks)] if ks else []
        for table in beside:
            stream.write("\n")
            write_table(table, output, stream)


def as_object(summaries: Sequence[RunSummary]) -> dict[str, Any]:
    """One object for one run, `{"runs": […]}` for several; with what their group knows, where they are of one."""
    records = [run_record(summary) for summary in summaries]
    if len(records) == 1:
        return records[0]
    groups = [group_facts(path) for path in groups_of([summary.path for summary in summaries])]
    return {"runs": records, **({"group_records": groups} if groups else {})}


def _write_tables(summaries: Sequence[RunSummary], output: Format, stream: IO[str], *, full: bool) -> None:
    short = [table for table in (overview.overview(summaries), stopped_table(summaries)) if table.rows]
    tables = overview.all_tables(summaries) if full else short
    for number, table in enumerate(tables):
        stream.write("\n" if number else "")
        write_table(table, output, stream)
    said = [*([] if full else _pairs(summaries)), *overview.notes(summaries)]
    if said and output is not Format.TABLE:
        stream.write("\n")
    stream.write("".join(_note(line, output) for line in said))


def _note(line: str, output: Format) -> str:
    """A sentence below the tables; without it what is pasted elsewhere would say more than was measured."""
    if output is Format.MD:
        return f"- {for_markdown(line)}\n"
    if output is Format.LATEX:
        return f"% {visible(line, keep='')}\n"
    return for_terminal(line) + "\n"


def _pairs(summaries: Sequence[RunSummary]) -> list[str]:
    several = len({pair.suite for summary in summaries for pair in summary.pairs}) > 1
    return [figures.paired_line(pair, suite=several) for summary in summaries for pair in summary.pairs]
