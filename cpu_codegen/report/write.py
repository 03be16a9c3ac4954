"""Summaries → stdout in the format that was asked for. HTML is a page of its own (page.py)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import IO, Any

from cpu_codegen.report import figures, overview
from cpu_codegen.report.elsewhere import Elsewhere, elsewhere_table
from cpu_codegen.report.escape import for_terminal
from cpu_codegen.report.formats import Format
from cpu_codegen.report.records import run_record
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import write_table


def write_summaries(
    summaries: Sequence[RunSummary],
    output: Format,
    stream: IO[str],
    *,
    full: bool = True,
    others: Sequence[Elsewhere] = (),
) -> None:
    """Writes runs in one format. `full` adds levels, outcomes and the rest to the overview (table, md, latex).

    `others` were measured elsewhere: a table of their own, a member of their own in JSON; in csv and jsonl they have no place.
    """
    if output is Format.JSON:
        told = as_object(summaries) | ({"measured_elsewhere": [asdict(other) for other in others]} if others else {})
        stream.write(json.dumps(told, indent=1, allow_nan=False) + "\n")
    elif output in (Format.CSV, Format.JSONL):
        write_table(overview.flat(summaries), output, stream)
    else:
        _write_tables(summaries, output, stream, full=full)
        if others:
            stream.write("\n")
            write_table(elsewhere_table(list(others)), output, stream)


def as_object(summaries: Sequence[RunSummary]) -> dict[str, Any]:
    """One object for one run, `{"runs": […]}` for several."""
    records = [run_record(summary) for summary in summaries]
    return records[0] if len(records) == 1 else {"runs": records}


def _write_tables(summaries: Sequence[RunSummary], output: Format, stream: IO[str], *, full: bool) -> None:
    tables = overview.all_tables(summaries) if full else [overview.overview(summaries)]
    for number, table in enumerate(tables):
        stream.write("\n" if number else "")
        write_table(table, output, stream)
    if output is Format.TABLE:
        if not full:
            _write_pairs(summaries, stream)
        for note in overview.notes(summaries):
            stream.write(for_terminal(note) + "\n")


def _write_pairs(summaries: Sequence[RunSummary], stream: IO[str]) -> None:
    several = len({pair.suite for summary in summaries for pair in summary.pairs}) > 1
    for summary in summaries:
        for pair in summary.pairs:
            stream.write(for_terminal(figures.paired_line(pair, suite=several)) + "\n")
