"""`cpu-codegen runs list|rm`: the run folders under ./runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, RunArgument
from cpu_codegen.errors import IntegrityError, UsageError, to_paste

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


class _Facts(NamedTuple):
    """What the list shows of one run."""

    model: str
    suites: str
    styles: str
    generated: int
    wanted: int
    status: str


def _row(path: Path) -> tuple[str, ...]:
    """A damaged folder hides no other: it gets a row, and stderr says how to be rid of it."""
    from cpu_codegen.group import is_group
    from cpu_codegen.report.escape import for_terminal

    try:
        facts = _of_group(path) if is_group(path) else _of_run(path)
    except IntegrityError as error:
        print(
            f"{for_terminal(str(error))}; {for_terminal(to_paste('runs', 'rm', path.name))} removes it", file=sys.stderr
        )
        return (path.name, "?", "", "", "", "damaged")
    return (path.name, facts.model, facts.suites, facts.styles, f"{facts.generated}/{facts.wanted}", facts.status)


def _of_group(path: Path) -> _Facts:
    """Its runs together: all models, every suite and style once, all answers."""
    from cpu_codegen.group import members, read_group

    status = str(read_group(path).get("status", "?"))
    runs = [_of_run(folder) for folder in members(path)]
    return _Facts(
        f"group of {len(runs)}: {', '.join(run.model for run in runs)}",
        " ".join(dict.fromkeys(run.suites for run in runs)),
        " ".join(dict.fromkeys(run.styles for run in runs)),
        sum(run.generated for run in runs),
        sum(run.wanted for run in runs),
        status,
    )


def _of_run(path: Path) -> _Facts:
    """As it stands in the manifest; the answers are counted."""
    from cpu_codegen.store import RunFolder

    folder = RunFolder(path)
    manifest = folder.manifest()
    scope = manifest.get("scope", {})
    return _Facts(
        str(manifest.get("model", {}).get("name", "?")),
        ",".join(manifest.get("suites", {})),
        ",".join(scope.get("styles", [])),
        sum(1 for _ in folder.read("generations")),
        len(scope.get("problems", [])) * len(scope.get("styles", [])) * scope.get("n", 1),
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
            raise UsageError(f"{path} would be deleted for ever", remedy=to_paste("runs", "rm", run, "--yes"))
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
