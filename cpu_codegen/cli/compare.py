"""`cpu-codegen compare A B [C…]`: runs against the first one, problem by problem; of one run, its styles."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat
from cpu_codegen.errors import CheckFailed

if TYPE_CHECKING:
    from cpu_codegen.compare_runs import Comparison


class FailIf(StrEnum):
    """When `compare` exits 7."""

    WORSE = "worse"


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, names under ./runs, latest, prev, or a group.")
    ],
    fail_if: Annotated[
        FailIf | None,
        typer.Option("--fail-if", help="worse: exit 7 when pass@1 of a later run is worse than the first's."),
    ] = None,
    across: Annotated[
        bool, typer.Option("--across", help="Compare other machines or settings too; what differs is said.")
    ] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Compare runs on the problems they share: correctness, speed, memory, energy, code efficiency, each with an interval."""
    from cpu_codegen.compare_runs import compare_runs, ladders, read_run
    from cpu_codegen.report.folders import find_runs

    read = [read_run(path) for path in find_runs(runs)]
    found, steps = compare_runs(read, across=across), ladders(read)
    if json or output is Format.JSON:
        import json as writer

        from cpu_codegen.compare_tables import records

        print(writer.dumps(records(found, steps), indent=1, allow_nan=False))
    else:
        from cpu_codegen.compare_tables import tables
        from cpu_codegen.report.tables import write_table

        for number, table in enumerate(tables(found, steps)):
            if number and output is not Format.JSONL:
                print()
            write_table(table, output, sys.stdout)
    if fail_if is FailIf.WORSE:
        _fail_if_worse(found)


def _fail_if_worse(found: list[Comparison]) -> None:
    worse = [c for c in found if c.pairing.correctness.verdict == "worse"]
    if worse:
        raise CheckFailed(
            f"worse than {worse[0].baseline}: {', '.join(f'{c.other} ({c.suite}, {c.style})' for c in worse)}",
            remedy="the table's intervals say how much; cpu-codegen show RUN --failed shows the answers",
        )
