"""`cpu-codegen export RUN --as FORMAT`: runs out to other tools, a file each."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, RunArgument
from cpu_codegen.errors import UsageError, to_paste

if TYPE_CHECKING:
    from cpu_codegen.report.summary import RunSummary


class As(StrEnum):
    """The formats of `export`."""

    EVALPLUS = "evalplus"
    HUMAN_EVAL = "human-eval"
    LM_EVAL = "lm-eval"
    CSV = "csv"
    PARQUET = "parquet"
    LEADERBOARD = "leaderboard"
    ARTIFACT = "artifact"


def export(
    run: RunArgument,
    as_format: Annotated[As, typer.Option("--as", help="For which tool.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="A file (artifact, group: a folder).  [default: stdout; parquet, group: RUN.*; artifact: RUN-artifact]",
        ),
    ] = None,
    style: Annotated[
        str | None, typer.Option("--style", help="Only this style; needed where a run has several.")
    ] = None,
    suite: Annotated[str | None, typer.Option("-s", "--suite", help="Only this suite.")] = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Write runs for EvalPlus, human-eval, lm-eval, a spreadsheet, a leaderboard or an archive. Nothing is sent anywhere."""
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.report.summary import summarize

    summaries = [summarize(path) for path in find_runs([run])]
    if len(summaries) == 1:
        written = _export(summaries[0], as_format, style, suite, out)
    else:
        if out is not None and out.is_file():
            raise UsageError(f"{run} is a group, and {out} is one file", remedy="--out FOLDER: one file per run")
        targets = [(out or Path()) / _name(summary, as_format) for summary in summaries]
        written = [
            path
            for summary, target in zip(summaries, targets, strict=True)
            for path in _export(summary, as_format, style, suite, target)
        ]
    if written:
        _tell_paths(written, Format.JSON if json else output)


def _export(summary: RunSummary, as_format: As, style: str | None, suite: str | None, out: Path | None) -> list[Path]:
    """Writes one run and gives the files back: none where the text went to stdout."""
    if as_format is As.ARTIFACT:
        from cpu_codegen.exchange.artifact import write_artifact

        return write_artifact(summary, out or Path(_name(summary, as_format)))
    if as_format is As.PARQUET:
        from cpu_codegen.exchange.parquet import write_parquet

        target = out or Path(_name(summary, as_format))
        target.parent.mkdir(parents=True, exist_ok=True)
        return [write_parquet(_chosen(summary, as_format, style, suite), target)]
    if as_format is As.LEADERBOARD:
        return _write(_leaderboard(summary), out)
    return _write(_text(_chosen(summary, as_format, style, suite), as_format), out)


def _name(summary: RunSummary, as_format: As) -> str:
    """`RUN.csv`, `RUN.evalplus.jsonl`, `RUN-artifact`: each format its own, so that none writes over another."""
    if as_format is As.ARTIFACT:
        return f"{summary.name}-artifact"
    endings = {As.CSV: "csv", As.PARQUET: "parquet", As.LEADERBOARD: "leaderboard.json"}
    return f"{summary.name}.{endings.get(as_format, f'{as_format}.jsonl')}"


def _tell_paths(paths: Iterable[Path], told: Format) -> None:
    """What was written; -o is about this, the files' own format is that of --as."""
    from cpu_codegen.cli.told import tell

    names = [str(path) for path in paths]
    tell([{"path": name} for name in names], names, output=told)


def _chosen(summary: RunSummary, as_format: As, style: str | None, suite: str | None) -> list[dict[str, Any]]:
    """The samples to write; other tools know neither styles nor several suites in one file."""
    from cpu_codegen.exchange.lines import HUMAN_EVAL_SUITES

    samples = [s for s in summary.samples if style in (None, s["style"]) and suite in (None, s["suite"])]
    if not samples:
        raise UsageError("no sample fits", remedy=to_paste("show", summary.path))
    for option, name in (("--style", "style"), ("-s", "suite")):
        found = list(dict.fromkeys(s[name] for s in samples))
        if len(found) > 1 and as_format not in (As.CSV, As.PARQUET):
            raise UsageError(f"this run has several {name}s ({', '.join(found)})", remedy=f"{option} {found[0]}")
    if as_format is As.HUMAN_EVAL and samples[0]["suite"] not in HUMAN_EVAL_SUITES:
        raise UsageError(f"human-eval knows nothing of {samples[0]['suite']}", remedy="--as evalplus")
    return samples


def _text(samples: list[dict[str, Any]], as_format: As) -> str:
    from cpu_codegen.exchange import lines
    from cpu_codegen.report.tables import Table, as_csv
    from cpu_codegen.store import dump_line

    if as_format is As.CSV:
        return as_csv(Table(lines.CSV_HEADER, list(lines.csv_rows(samples))))
    makers = {As.EVALPLUS: lines.evalplus_lines, As.HUMAN_EVAL: lines.human_eval_lines, As.LM_EVAL: lines.lm_eval_lines}
    return "".join(map(dump_line, makers[as_format](samples)))


def _leaderboard(summary: RunSummary) -> str:
    """The entry, after what is in it was said."""
    import json

    from cpu_codegen.exchange.leaderboard import contents, entry
    from cpu_codegen.report.escape import for_terminal

    record = entry(summary)
    print("in it, and nothing else (it was sent nowhere):", file=sys.stderr)
    for line in contents(record):
        print(f"  {for_terminal(line)}", file=sys.stderr)
    return json.dumps(record, indent=1, allow_nan=False) + "\n"


def _write(text: str, out: Path | None) -> list[Path]:
    from cpu_codegen.durable import write_whole

    if out is None:
        sys.stdout.write(text)
        return []
    out.parent.mkdir(parents=True, exist_ok=True)
    write_whole(out, text)
    return [out]
