"""`cpu-codegen ladder -m M@Q8_0 -m M@Q4_K_M …`: how far quantizations stray from the largest file of their model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import Format, Ids, Json, ModelsFile, Offline, OutputFormat, Suites, Threads, split_commas

if TYPE_CHECKING:
    from cpu_codegen.fidelity.steps import Ladder


def ladder(
    models: Annotated[
        list[str], typer.Option("-m", "--model", help="Files of one model: alias@quant, hf:…, or paths; repeat it.")
    ],
    base: Annotated[
        str | None, typer.Option("--base", help="What they are measured by.  [default: the largest here that fits]")
    ] = None,
    suites: Suites = None,
    ids: Ids = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N problems of each suite.")] = None,
    prompt_format: Annotated[
        str | None, typer.Option("--prompt-format", help="In place of the base's chat template.")
    ] = None,
    threads: Threads = None,
    models_file: ModelsFile = None,
    offline: Offline = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for fidelity.jsonl; may be a group.  [default: ./runs/ladder-<model>]"),
    ] = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Measure how far quantizations stray from their model's largest file, on the tokens of reference solutions.

    Bits per byte, KL divergence and same top token tell neighbours apart that pass@1 over 60 problems cannot. The same command goes
    on after an interruption; compare and the page show the result beside runs of these files.
    """
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.fidelity.find import read_ladders
    from cpu_codegen.fidelity.ladder import LadderConfig, climb

    config = LadderConfig(
        models=split_commas(models),
        base=base,
        suites=split_commas(suites) or ("lowcost60",),
        ids=split_commas(ids),
        limit=limit,
        prompt_format=prompt_format,
        threads=threads,
        offline=offline,
        models_file=str(models_file) if models_file else None,
        out=str(out) if out else None,
    )
    bars = Bars()
    try:
        path = climb(config, progress=bars)
    finally:
        bars.close()
    show(read_ladders(path), Format.JSON if json else output)
    print(f"kept     {path}", file=sys.stderr)


def show(ladders: list[Ladder], output: Format) -> None:
    """All ladders of a folder; JSON is one object, as `compare -o json` carries it."""
    from cpu_codegen.fidelity.tables import record, table
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.report.tables import write_table

    if output is Format.JSON:
        from cpu_codegen.cli.told import tell_json

        tell_json({"fidelity": [record(one) for one in ladders]})
        return
    for number, one in enumerate(ladders):
        if number and output is not Format.JSONL:
            print()
        write_table(table(one), output, sys.stdout)
        for note in one.notes:
            print(for_terminal(note), file=sys.stderr)
