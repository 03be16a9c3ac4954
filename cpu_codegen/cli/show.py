"""`cpu-codegen show RUN`: pages through samples: answer, extracted code, verdict, failing input; or lists them as a table."""

from __future__ import annotations

import difflib
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cpu_codegen.cli.options import Format, Ids, Json, OutputFormat, RunArgument, split_commas
from cpu_codegen.counts import count_of
from cpu_codegen.errors import UsageError, to_paste

if TYPE_CHECKING:
    from rich.console import Console

    from cpu_codegen.report.listing import Wanted

Sample = dict[str, Any]


def show(
    run: RunArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Only samples that were judged and did not pass.")] = False,
    ids: Ids = None,
    style: Annotated[list[str] | None, typer.Option("--style", help="Only these styles.")] = None,
    outcome: Annotated[
        list[str] | None, typer.Option("--outcome", help="Only these outcomes: wrong, error, timeout, no_code, …")
    ] = None,
    finding: Annotated[
        list[str] | None,
        typer.Option("--finding", help="Only passed code with this: dangerous_calls, unreached_lines, bandit, …"),
    ] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the exact prompt too.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="Show the raw answer too, reasoning included.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Show samples of a run: the answer, the code, the verdict, the failing input. -o md, csv, latex: a table of them."""
    from cpu_codegen.report.listing import Wanted

    wanted = Wanted(split_commas(ids), split_commas(style), _outcomes(outcome), _findings(finding), failed=failed)
    samples = _chosen(run, wanted)
    chosen = Format.JSON if json else output
    if chosen is Format.TABLE:
        _page(samples, with_prompt=prompt, raw=raw)
    elif chosen in (Format.JSON, Format.JSONL):
        _write_records(samples, chosen)
    else:
        from cpu_codegen.report.listing import samples_table
        from cpu_codegen.report.tables import write_table

        write_table(samples_table(samples), chosen, sys.stdout)


def _outcomes(values: list[str] | None) -> tuple[str, ...]:
    from cpu_codegen.schema import Outcome

    return _known("--outcome", split_commas(values), tuple(Outcome))


def _findings(values: list[str] | None) -> tuple[str, ...]:
    from cpu_codegen.measure.findings import FINDINGS

    return _known("--finding", split_commas(values), FINDINGS)


def _known(option: str, names: tuple[str, ...], allowed: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in allowed:
            raise UsageError(f"{option} {name!r} is not known", remedy=f"{option} with one of {', '.join(allowed)}")
    return names


def _chosen(run: str, wanted: Wanted) -> list[Sample]:
    """The samples of the run, or of all runs of a group."""
    from cpu_codegen.report.folders import find_runs
    from cpu_codegen.report.listing import Wanted
    from cpu_codegen.report.samples import load_samples
    from cpu_codegen.store import RunFolder

    every = [{"run": path.name, **sample} for path in find_runs([run]) for sample in load_samples(RunFolder(path))]
    samples = [sample for sample in every if sample in wanted]
    if not samples and wanted == Wanted(failed=True) and every:
        print(f"none of {count_of(len(every), 'sample')} failed", file=sys.stderr)  # good news, no error
    elif not samples:
        raise _none_fits(run, wanted, every)
    return samples


def _none_fits(run: str, wanted: Wanted, every: list[Sample]) -> UsageError:
    """Says why, as far as one reason is enough: nothing there, an id that is not there."""
    if not every:
        return UsageError(f"{run} has no answers yet", remedy="the command that began it goes on")
    ids = {name for sample in every for name in (sample["problem_id"], sample["problem_id"].partition("/")[2])}
    for name in wanted.ids:
        if name not in ids:
            near = difflib.get_close_matches(name, sorted(ids), n=1)
            return UsageError(
                f"{run} has no answer to {name!r}",
                remedy=f"--ids {near[0]}" if near else to_paste("show", run, "-o", "md"),
            )
    return UsageError(f"none of {count_of(len(every), 'sample')} fits", remedy=to_paste("show", run))


def _write_records(samples: list[Sample], output: Format) -> None:
    """Whole records: a list, or one a line."""
    from cpu_codegen.store import dump_line

    lines = [dump_line(sample) for sample in samples]
    if output is Format.JSONL:
        sys.stdout.write("".join(lines))
    else:
        sys.stdout.write("[\n" + ",\n".join(line.rstrip("\n") for line in lines) + "\n]\n")


def _page(samples: list[Sample], *, with_prompt: bool, raw: bool) -> None:
    from contextlib import nullcontext

    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    paged = sys.stdout.isatty() and sys.stdin.isatty() and len(samples) > 1
    if paged:
        os.environ.setdefault("LESS", "-RFX")  # colours shown as colours, no pager for what fits, the screen kept
    try:
        with console.pager(styles=console.color_system is not None) if paged else nullcontext():
            for number, sample in enumerate(samples, start=1):
                _print_sample(console, sample, place=f"{number}/{len(samples)}", with_prompt=with_prompt, raw=raw)
    except SystemExit:  # rich's answer to a closed stdout is exit 1; ours is none
        raise BrokenPipeError from None


def _print_sample(console: Console, sample: Sample, *, place: str, with_prompt: bool, raw: bool) -> None:
    from rich.syntax import Syntax
    from rich.text import Text

    from cpu_codegen.report.escape import for_terminal

    def line(text: str, style: str = "") -> None:
        console.print(Text(for_terminal(text), style=style))

    line(f"── {place}  {_head(sample)}", "bold green" if sample["outcome"] == "passed" else "bold red")
    line(_facts(sample))
    if sample.get("message"):
        line(sample["message"], "red")
    for name, text in (sample.get("failure") or {}).items():
        line(f"{name:<9} {text}")
    if with_prompt:
        line("── prompt ──", "dim")
        line(sample["prompt"])
    if raw or not sample["code"]:
        line("── no code found; the answer was ──" if sample["outcome"] and not raw else "── answer ──", "dim")
        line(sample["text"])
    if sample["code"]:
        line("── code ──", "dim")
        console.print(
            Syntax(
                for_terminal(sample["code"]), "python", theme="ansi_dark", background_color="default", word_wrap=True
            )
        )
    console.print()


def _head(sample: Sample) -> str:
    detail = f" ({sample['detail']})" if sample.get("detail") else ""
    place = "  ".join(filter(None, (sample["problem_id"], sample["level"], sample["style"], f"#{sample['index']}")))
    return f"{place}  {sample['outcome'] or 'not judged yet'}{detail}"


def _facts(sample: Sample) -> str:
    """Tests, tokens, why the answer ended, and how its code compares with the reference's, as far as they are known."""
    facts = []
    if sample.get("tests_total"):
        facts.append(f"{sample['tests_passed']}/{count_of(sample['tests_total'], 'test')}")
    if sample.get("completion_tokens") is not None:
        facts.append(count_of(sample["completion_tokens"], "token"))
    facts.append(str(sample.get("finish_reason")))
    measured = sample.get("efficiency") or {}
    ratio = measured.get("cpu_ratio")
    if ratio:
        bound = "≥ " if measured["status"] == "censored" else ""
        facts.append(f"CPU time {bound}{ratio['value']:.2f}× the reference's")
    lines = (measured.get("unreached") or {}).get("lines")
    if lines:
        facts.append(f"no test reaches line {', '.join(map(str, lines))}")
    return " · ".join(facts)
