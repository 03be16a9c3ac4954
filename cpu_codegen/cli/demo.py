"""`cpu-codegen demo`: the main job on the packaged demo model."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cpu_codegen.cli.evaluate import evaluate
from cpu_codegen.cli.options import Format, Json, OutputFormat, seconds, split_commas
from cpu_codegen.config import Campaign, RunConfig

WARNING = "demo model: a fixture that has seen the problems; its score says nothing about any real model"


def demo(
    style: Annotated[list[str] | None, typer.Option("--style", help="[default: plain,cot]")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Only the first N problems of the order.")] = None,
    efficiency_budget: Annotated[str, typer.Option(help="Time for measuring the answers' efficiency.")] = "45s",
    out: Annotated[
        Path | None, typer.Option("--out", help="The run folder.  [default: ./runs/<utc>-demo-q8-0]")
    ] = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Evaluate the packaged demo model over the 60 problems, plain and cot: no download, under three minutes."""
    print(WARNING, file=sys.stderr)
    config = RunConfig(
        model="demo",
        styles=split_commas(style) or ("plain", "cot"),
        limit=limit,
        efficiency_budget_s=seconds(efficiency_budget, "--efficiency-budget"),
        out=str(out) if out else None,
    )
    evaluate(Campaign(("demo",), config), Format.JSON if json else output)
    print(
        "next     cpu-codegen plan   which real models fit this machine, and how long they would take", file=sys.stderr
    )
