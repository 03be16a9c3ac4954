"""Options that several commands share, with their help texts, so that one option reads the same everywhere."""

from __future__ import annotations

import re
from typing import Annotated

import typer

from cpu_codegen.errors import UsageError
from cpu_codegen.report.formats import Format as Format

OutputFormat = Annotated[
    Format, typer.Option("-o", "--output", help="Format of stdout: table, md, csv, json, jsonl, latex, html.")
]
Json = Annotated[bool, typer.Option("--json", hidden=True, help="The same as -o json.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run folder, its name under ./runs, latest or prev.")]


def split_commas(values: list[str] | None) -> tuple[str, ...]:
    """`a,b` and repeated options both work; order kept, repeats dropped."""
    parts = [part.strip() for value in values or [] for part in value.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$")
_UNITS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """`45s`, `4m`, `1.5h` or plain seconds → seconds."""
    match = _DURATION.match(text.strip())
    if match is None:
        raise UsageError(f"{text!r} is no duration", remedy="45s, 4m or 1.5h")
    return float(match[1]) * _UNITS[match[2]]
