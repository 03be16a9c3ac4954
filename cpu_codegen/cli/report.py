"""`cpu-codegen report RUN…`: the numbers of runs, as tables for people and programs, and as one HTML page."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import AtK, Format, Json, OutputFormat, Require, at_k, requirements
from cpu_codegen.errors import UsageError

if TYPE_CHECKING:
    from cpu_codegen.report.elsewhere import Elsewhere
    from cpu_codegen.report.summary import RunSummary
    from cpu_codegen.requirements import Gate


def report(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN...", help="Run folders, their names under ./runs, latest, prev, groups.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="A file instead of stdout (HTML: of the folder).")] = None,
    figures: Annotated[
        Path | None, typer.Option("--figures", help="Also write the plots as SVG and PNG here (extra: figures).")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help="Scores measured elsewhere (CSV: model, suite, setting, pass@1, source)."),
    ] = None,
    k: AtK = None,
    require: Require = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Print the numbers of one or more runs; -o html writes one self-contained page."""
    terms, ks = requirements(require), at_k(k)
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.report.gate import gates_of
    from cpu_codegen.report.summary import summarize
    from cpu_codegen.requirements import require_a_pass

    others = _others(reference)
    summaries = [summarize(path) for path in find_runs(runs)]
    gates = gates_of(summaries, terms)
    chosen = Format.JSON if json else output
    if chosen is Format.HTML:
        _write_page(summaries, runs, out, others, gates)
    else:
        _write(summaries, chosen, out, others, gates, ks)
    if figures is not None:
        _write_figures(summaries, figures)
    if require is not None:
        require_a_pass(gates, require)


def _others(path: Path | None) -> list[Elsewhere]:
    from cpu_codegen.report.elsewhere import read_elsewhere

    return read_elsewhere(path) if path else []


def _write(
    summaries: list[RunSummary],
    output: Format,
    out: Path | None,
    others: list[Elsewhere],
    gates: list[Gate],
    ks: tuple[int, ...] | None,
) -> None:
    from cpu_codegen.report.write import write_summaries

    if out is None:
        write_summaries(summaries, output, sys.stdout, others=others, gates=gates, ks=ks)
        return
    import io

    from cpu_codegen.durable import write_whole

    text = io.StringIO()
    write_summaries(summaries, output, text, others=others, gates=gates, ks=ks)
    write_whole(out, text.getvalue())
    print(out)


def _write_page(
    summaries: list[RunSummary], runs: list[str], out: Path | None, others: list[Elsewhere], gates: list[Gate]
) -> None:
    from cpu_codegen.report.page import write_page
    from cpu_codegen.run_names import find_run

    if out is None and len(runs) > 1:
        raise UsageError("several runs, and no file for their page", remedy="--out report.html")
    print(write_page(summaries, out or find_run(runs[0]) / "report.html", others, gates))


def _write_figures(summaries: list[RunSummary], folder: Path) -> None:
    from cpu_codegen.report.paper import write_figures

    for path in write_figures(summaries, folder):
        print(path, file=sys.stderr)
