"""`cpu-codegen compare A B [C…]`: runs against the first one, problem by problem; of one run, its styles."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, Require, requirements
from cpu_codegen.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from cpu_codegen.compare import Metric
    from cpu_codegen.compare_runs import Comparison, Run
    from cpu_codegen.report.tables import Table

# what may be asked of --fail-if, and the figure of a comparison that it means
FIGURES = {
    "correctness": "pass@1",
    "pass@1": "pass@1",
    "tokens": "tokens",
    "speed": "seconds",
    "seconds": "seconds",
    "energy": "energy",
    "memory": "memory",
    "code": "code CPU time",
}


def compare(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, names under ./runs, latest, prev, or a group.")
    ],
    fail_if: Annotated[
        str | None,
        typer.Option(
            "--fail-if",
            metavar="worse[:FIGURES]",
            help="Exit 7 when a later run is worse than the first in any figure, or in these: "
            "worse:correctness,tokens,speed,energy,memory,code. A figure that you name must have been measured.",
        ),
    ] = None,
    across: Annotated[
        bool, typer.Option("--across", help="Compare other machines or settings too; what differs is said.")
    ] = False,
    require: Require = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Compare runs on the problems they share: correctness, speed, memory, energy, code efficiency, each with an interval."""
    named, terms = _figures(fail_if), requirements(require)
    from cpu_codegen.compare_runs import compare_runs, ladders, read_run, style_steps, to_pair
    from cpu_codegen.fidelity.find import ladders_of
    from cpu_codegen.fidelity.tables import record
    from cpu_codegen.fidelity.tables import table as fidelity_table
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.report.gate import gate_record, gate_table, gates_of
    from cpu_codegen.report.summary import summarize
    from cpu_codegen.requirements import require_a_pass

    every = [read_run(path) for path in find_runs(runs)]
    read = to_pair(every)
    found = compare_runs(read, across=across), ladders(read), style_steps(read)
    gates = gates_of([summarize(run.path) for run in every], terms) if terms else []
    fidelity = ladders_of([(run.path, str(run.manifest["model"]["sha256"])) for run in every])
    if json or output is Format.JSON:
        import json as writer

        from cpu_codegen.compare_tables import records
        from cpu_codegen.store import plain

        stopped = [{"run": run.path.name, **plain(run.stop)} for run in every if run.stop]
        told = records(*found) | ({"stopped": stopped} if stopped else {})
        told |= {"fidelity": [record(ladder) for ladder in fidelity]}
        told |= {"requirements": [gate_record(gate) for gate in gates]} if gates else {}
        print(writer.dumps(told, indent=1, allow_nan=False))
    else:
        from cpu_codegen.compare_tables import tables
        from cpu_codegen.report.tables import write_table

        asked = [gate_table(gates)] if gates else []
        for number, table in enumerate([*tables(*found), *map(fidelity_table, fidelity), *_stopped(every), *asked]):
            if number and output is not Format.JSONL:
                print()
            write_table(table, output, sys.stdout)
    if named is not None:
        _fail_if_worse(found[0], named)
    if require is not None:
        require_a_pass(gates, require)


def _stopped(runs: list[Run]) -> list[Table]:
    """What is known of the runs that a race stopped, apart from the paired tables."""
    stopped = [run.path for run in runs if run.stop is not None]
    if not stopped:
        return []
    from cpu_codegen.report.stopped import stopped_table
    from cpu_codegen.report.summary import summarize

    return [stopped_table([summarize(path) for path in stopped])]


def _figures(fail_if: str | None) -> tuple[str, ...] | None:
    """The names of figures in `worse:…`; () = any of them; None = nothing to check. UsageError before anything is printed."""
    if fail_if is None:
        return None
    word, _, names = fail_if.partition(":")
    asked = tuple(name.strip() for name in names.split(",") if name.strip())
    unknown = [name for name in asked if name not in FIGURES]
    if word != "worse" or unknown:
        raise UsageError(
            f"--fail-if {fail_if!r} is not known",
            remedy=f"--fail-if worse, or worse:{','.join(FIGURES)} (any of these)",
        )
    return asked


def _fail_if_worse(found: list[Comparison], named: tuple[str, ...]) -> None:
    """CheckFailed where a figure is worse, or was asked for by name and cannot be told."""
    wanted = [FIGURES[name] for name in named] or list(dict.fromkeys(FIGURES.values()))
    worse = [f"{metric.name} of {who}" for who, metric in _chosen(found, wanted) if metric.verdict == "worse"]
    unknown = [f"{metric.name} of {who}" for who, metric in _chosen(found, wanted) if named and metric.verdict is None]
    if worse or unknown:
        parts = (("worse", worse), ("not measured, so not checked", unknown))
        raise CheckFailed(
            "; ".join(f"{word}: {', '.join(names)}" for word, names in parts if names),
            remedy="the table's intervals say how much; cpu-codegen show RUN --failed shows the answers",
        )


def _chosen(found: list[Comparison], wanted: list[str]) -> Iterator[tuple[str, Metric]]:
    for comparison in found:
        for name in wanted:
            yield f"{comparison.other} ({comparison.suite}, {comparison.style})", comparison.pairing.metric(name)
