"""`cpu-codegen doctor`: what this machine has and what holds; with --attack, hostile programs against the sandbox."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cpu_codegen.cli.options import Format, Json, OutputFormat, WeakIsolation


def doctor(
    attack: Annotated[
        Path | None, typer.Option("--attack", help="Run the hostile programs of FILE instead; one JSON line each.")
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option(help="Leave layers out: landlock, namespaces, uid.", hidden=True)
    ] = None,
    allow_weak: WeakIsolation = False,
    output: OutputFormat = Format.TABLE,
    json: Json = False,
) -> None:
    """Examine this machine; the sandbox is attacked for real. Exit 3 when generated code could not be run safely."""
    if attack is not None:
        _attack(attack, mask or [], allow_weak=allow_weak)
        return
    from cpu_codegen.doctor.sections import as_data, as_text, examine
    from cpu_codegen.report.escape import visible

    found = examine(allow_weak=allow_weak)
    if json or output in (Format.JSON, Format.JSONL):
        from cpu_codegen.cli.told import tell_json

        tell_json(as_data(found), indent=None if output is Format.JSONL else 1)
    else:
        sys.stdout.write(visible(as_text(found)))
    if any(section.refused for section in found):
        raise typer.Exit(3)


def _attack(path: Path, masked: list[str], *, allow_weak: bool) -> None:
    from cpu_codegen.cli.told import tell_lines
    from cpu_codegen.sandbox import open_sandbox
    from cpu_codegen.sandbox.attacks import as_json, read_attacks, run_attacks

    attacks = read_attacks(path)
    with open_sandbox(allow_weak=allow_weak, masked=masked) as sandbox:
        for result in run_attacks(attacks, sandbox):
            tell_lines([as_json(result)])
            sys.stdout.flush()  # also where stdout is a pipe: whoever watches sees each line as it comes
