"""`cpu-codegen runs list|rm`: the run folders under ./runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, RunArgument
from cpu_codegen.errors import UsageError

app = typer.Typer(help="List and remove run folders.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_(output: OutputFormat = Format.TABLE, json: Json = False) -> None:
    """Every run under ./runs: model, styles, samples, status."""
    from cpu_codegen.report.tables import Table, write_table
    from cpu_codegen.run_names import list_runs

    table = Table(
        columns=("run", "model", "suites", "styles", "generated", "status"), rows=[_row(p) for p in list_runs()]
    )
    write_table(table, Format.JSON if json else output, sys.stdout)


app.command("ls", hidden=True)(list_)


def _row(path: Path) -> tuple[str, ...]:
    from cpu_codegen.store import RunFolder

    folder = RunFolder(path)
    if not folder.has_manifest:
        inside = len(list(path.glob("*/manifest.json")))
        return (path.name, f"group of {inside} runs", "", "", "", "")
    manifest = folder.manifest()
    scope = manifest.get("scope", {})
    wanted = len(scope.get("problems", [])) * len(scope.get("styles", [])) * scope.get("n", 1)
    generated = sum(1 for _ in folder.read("generations"))
    return (
        path.name,
        str(manifest.get("model", {}).get("name", "?")),
        ",".join(manifest.get("suites", {})),
        ",".join(scope.get("styles", [])),
        f"{generated}/{wanted}",
        str(manifest.get("status", "?")),
    )


@app.command("rm")
def remove(
    run: RunArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Delete a run folder, or a group with its runs, with all its answers."""
    from cpu_codegen.cli.told import tell
    from cpu_codegen.run_names import find_run

    path = find_run(run)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(f"{path} would be deleted for ever", remedy=f"cpu-codegen runs rm {run} --yes")
        if not typer.confirm(f"Delete {path} with all its answers?"):
            print("nothing was deleted", file=sys.stderr)
            return
    _refuse_busy(path)
    shutil.rmtree(path)
    tell([{"removed": str(path)}], [str(path)], output=output, json=json)


def _refuse_busy(path: Path) -> None:
    """StoreBusyError while another process writes there, in any run of a group."""
    from cpu_codegen.store import MANIFEST, RunFolder

    for folder in (path, *(manifest.parent for manifest in path.glob(f"*/{MANIFEST}"))):
        with RunFolder(folder, writable=True):
            pass
