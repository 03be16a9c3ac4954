"""`cpu-codegen show RUN`: pages through samples: statement, raw answer, extracted code, verdict, failing input."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, RunArgument, split_commas
from cpu_codegen.errors import UsageError


def show(
    run: RunArgument,
    failed: Annotated[bool, typer.Option("--failed", help="Only samples that did not pass.")] = False,
    ids: Annotated[list[str] | None, typer.Option("--ids", "--id", help="Only these problems.")] = None,
    style: Annotated[list[str] | None, typer.Option("--style", help="Only these styles.")] = None,
    outcome: Annotated[list[str] | None, typer.Option("--outcome", help="Only these outcomes.")] = None,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the exact prompt too.")] = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Show samples of a run: the answer, the code, the verdict, the failing input."""
    from cpu_codegen.report.samples import load_samples
    from cpu_codegen.store import RunFolder, dump_line, find_run

    wanted_ids, styles, outcomes = split_commas(ids), split_commas(style), split_commas(outcome)
    samples = [
        s
        for s in load_samples(RunFolder(find_run(run)))
        if (not failed or s["outcome"] != "passed")
        and (not wanted_ids or s["problem_id"] in wanted_ids or s["problem_id"].partition("/")[2] in wanted_ids)
        and (not styles or s["style"] in styles)
        and (not outcomes or s["outcome"] in outcomes)
    ]
    if not samples:
        raise UsageError("no sample fits", remedy=f"cpu-codegen show {run}")
    if json or output in (Format.JSON, Format.JSONL):
        for sample in samples:
            sys.stdout.write(dump_line(sample))
        return
    _page(samples, with_prompt=prompt)


def _page(samples: list[dict[str, Any]], *, with_prompt: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    if sys.stdout.isatty() and len(samples) > 1:
        with console.pager(styles=True):
            for sample in samples:
                _print_sample(console, sample, with_prompt=with_prompt)
    else:
        for sample in samples:
            _print_sample(console, sample, with_prompt=with_prompt)


def _print_sample(console: Any, sample: dict[str, Any], *, with_prompt: bool) -> None:
    from rich.syntax import Syntax
    from rich.text import Text

    from cpu_codegen.report.escape import for_terminal

    def line(text: str, style: str = "") -> None:
        console.print(Text(for_terminal(text), style=style))

    detail = f" ({sample['detail']})" if sample.get("detail") else ""
    head = f"{sample['problem_id']}  {sample['level']}  {sample['style']}  #{sample['index']}"
    line(f"── {head}  {sample['outcome']}{detail}", "bold")
    line(
        f"{sample['tests_passed']}/{sample['tests_total']} tests · {sample['completion_tokens']} tokens · {sample['finish_reason']}"
    )
    if sample.get("message"):
        line(sample["message"], "red")
    if sample.get("failure"):
        for name in ("input", "expected", "got"):
            line(f"{name:<9} {sample['failure'][name]}")
    if with_prompt:
        line("prompt:", "dim")
        line(sample["prompt"])
    if sample["code"]:
        console.print(Syntax(for_terminal(sample["code"]), "python", background_color="default"))
    else:
        line("no code found; the answer was:", "dim")
        line(sample["text"])
    console.print()
