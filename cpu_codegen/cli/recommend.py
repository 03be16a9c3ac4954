"""`cpu-codegen recommend`: which model to run here, why, and the commands that put it to use."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from cpu_codegen.cli.options import AsIf, CtxTokens, Format, Json, ModelsFile, OutputFormat, Threads, split_commas
from cpu_codegen.config import MIN_SPEED_TOKENS_S
from cpu_codegen.counts import count_of

if TYPE_CHECKING:
    from typing import IO

    from cpu_codegen.recommend.choice import Choice
    from cpu_codegen.recommend.recommend import Recommendation
    from cpu_codegen.report.tables import Table


def recommend(
    model: Annotated[
        list[str] | None,
        typer.Option("-m", "--model", help="Only among these, by comma.  [default: registry and own runs]"),
    ] = None,
    min_speed: Annotated[
        float, typer.Option(min=0.0, help="Slower models (tokens/s, one stream) are left out.")
    ] = MIN_SPEED_TOKENS_S,
    use: Annotated[
        str | None, typer.Option("--use", metavar="MODEL", help="Commands for this one.  [default: the first name]")
    ] = None,
    ctx: CtxTokens = None,
    threads: Threads = None,
    as_if: AsIf = None,
    models_file: ModelsFile = None,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Which model to run here: at most three names, why, and how to use the first. Own and published scores stay apart."""
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.plan.question import Question
    from cpu_codegen.recommend.recommend import recommend as find

    question = Question(
        models=split_commas(model),
        ctx_tokens=ctx,
        threads=threads,
        as_if=as_if,
        min_speed=min_speed,
        models_file=models_file,
        offline=True,
    )
    show(find(question, progress=Bars(), deploy=use), Format.JSON if json else output)


def show(found: Recommendation, output: Format) -> None:
    """Names first, then the fronts, then how to use the first name."""
    from cpu_codegen.recommend.records import as_record, row_record
    from cpu_codegen.report.escape import for_terminal
    from cpu_codegen.report.tables import write_table

    if output in (Format.JSON, Format.JSONL):
        from cpu_codegen.cli.told import tell_json, tell_lines

        if output is Format.JSON:
            tell_json(as_record(found))
        else:
            tell_lines(map(row_record, found.rows))
        return
    if output is Format.TABLE:
        write_names(found, sys.stdout)
    write_table(table(found), output, sys.stdout)
    if output is Format.TABLE:
        print("\n" + "\n".join(map(for_terminal, _footer(found))))
        _print_use(found)


def write_names(found: Recommendation, stream: IO[str]) -> None:
    """The answer: machine, names, one sentence each."""
    from cpu_codegen.report.escape import for_terminal

    stream.write(for_terminal(found.machine_line) + "\n\n")
    for number, choice in enumerate(found.choices, start=1):
        stream.write(for_terminal(f"{number}. {choice.candidate.name}: {choice.sentence}") + "\n")
    if not found.choices:
        stream.write(
            "no model of the registry fits this machine comfortably and is fast enough: see cpu-codegen plan\n"
        )
    if found.at_rest is not None:
        stream.write(for_terminal(_at_rest_line(found.at_rest, found.ram_at_rest_bytes)) + "\n")
    stream.write("\n")


def _at_rest_line(choice: Choice, ram_bytes: int | None) -> str:
    """The first name that other programs keep from being the first."""
    from cpu_codegen.sizes import format_bytes

    room = f" (≈ {format_bytes(ram_bytes)} free)" if ram_bytes else ""
    return f"with nothing else running{room}: {choice.candidate.name}: {choice.sentence} Close other programs, then ask again."


def table(found: Recommendation) -> Table:
    """The fronts: own scores and published ones in columns of their own."""
    from cpu_codegen.recommend.choice import solved
    from cpu_codegen.report.tables import Table
    from cpu_codegen.sizes import format_bytes

    named = {choice.candidate.name: number for number, choice in enumerate(found.choices, start=1)}
    columns = (
        "",
        "model",
        "RAM",
        "tok/s meas.",
        "tok/s est.",
        "pass@1 here",
        "published, unquantized, not measured here",
    )
    rows = []
    for one in found.rows:
        plan = one.plan
        measured = plan.measured.decode_tokens_s if plan.measured and plan.measured.width == 1 else None
        claimed = f"{one.claim.suite} {one.claim.value:g} ({one.claim.setting[:60]})" if one.claim else None
        rows.append(
            (
                named.get(one.name, ""),
                one.name,
                format_bytes(plan.ram.needed_bytes) if plan.ram else None,
                f"{measured:.3g}" if measured else None,
                f"{plan.decode.value:.2g}" if plan.decode else None,
                solved(one.own) if one.own else None,
                claimed,
            )
        )
    title = "best for its speed, by own runs and by published scores"
    return Table(columns, [tuple(row) for row in rows], title=title, right=frozenset(columns[2:5]))


def _footer(found: Recommendation) -> list[str]:
    lines = [f"speed: {found.basis}; verify: cpu-codegen bench -m MODEL -p 512 -g 64"]
    lines.append("published scores come from several settings: they order models, their differences mean little")
    if found.no_data:
        count = count_of(len(found.no_data), "model that fits", "models that fit")
        lines.append(f"no data on {count}: {', '.join(found.no_data)}")
    if found.non_commercial:
        lines.append(f"not named, because their licence forbids commercial use: {', '.join(found.non_commercial)}")
    if found.left_out:
        lines.append(
            "left out: " + ", ".join(f"{count_of(n, 'file')} {why}" for why, n in sorted(found.left_out.items()))
        )
    lines += [f"note: {note}" for note in found.notes]
    if found.choices:
        lines.append(f"next: cpu-codegen run -m {found.choices[0].candidate.name}")
    return lines


def _print_use(found: Recommendation) -> None:
    from cpu_codegen.recommend.deploy import commands
    from cpu_codegen.report.escape import for_terminal

    if found.deployed is None:
        return
    print(f"\nto use {for_terminal(found.deployed.name)} ({for_terminal(found.deployed.basis)}):")
    for title, text in commands(found.deployed):
        print(f"\n# {title}")
        print("\n".join(for_terminal(line) for line in text.split("\n")))
