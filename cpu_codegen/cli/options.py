"""Options that several commands share, with their help texts, so that one option reads the same everywhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from cpu_codegen import config
from cpu_codegen.errors import UsageError
from cpu_codegen.report.formats import Format as Format
from cpu_codegen.schema import COMPARATORS, Comparator

if TYPE_CHECKING:
    from cpu_codegen.requirements import Term

OutputFormat = Annotated[
    Format, typer.Option("-o", "--output", help="Format of stdout: table, md, csv, json, jsonl, latex, html.")
]
Json = Annotated[bool, typer.Option("--json", hidden=True, help="The same as -o json.")]
RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run folder, its name under ./runs, latest, prev, or a group.")
]
Ids = Annotated[list[str] | None, typer.Option("--ids", "--id", help="Only these problems, by comma.")]
Suites = Annotated[
    list[str] | None,
    typer.Option("-s", "--suite", help="Suites, by comma; a folder or .jsonl of your own.  [default: lowcost60]"),
]
Styles = Annotated[
    list[str] | None,
    typer.Option("--style", help="Prompt styles, by comma: plain, cot, cot-efficient.  [default: plain]"),
]
ModelsFile = Annotated[
    Path | None, typer.Option("--models", metavar="FILE", help="A registry of your own, merged over ours.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Use no network.")]
CtxTokens = Annotated[int | None, typer.Option(min=64, help="Context of one sequence.")]
Threads = Annotated[int | None, typer.Option("--threads", "-t", min=1, help="[default: usable physical cores]")]
AsIf = Annotated[
    str | None, typer.Option("--as-if", help="Another machine: ram=4G,cores=4,bandwidth=12G (bytes a second).")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Programs executed at once.  [default: usable cores]")]
WeakIsolation = Annotated[
    bool, typer.Option("--allow-weak-isolation", help="Accept a sandbox that does not hide your files (see doctor).")
]
ComparatorOption = Annotated[
    str, typer.Option(help="evalplus (parity with its verdicts), or strict (types count, no loopholes).")
]
KvType = Annotated[
    str,
    typer.Option(
        "--kv-type",
        help="KV cache: f16, bf16, q8_0, q5_1, q4_0 …, or k=q8_0,v=f16. A quantized V is read by flash attention.",
    ),
]
Mmap = Annotated[bool, typer.Option("--mmap/--no-mmap", help="Map the model's file, or read it into own memory.")]
Mlock = Annotated[bool, typer.Option("--mlock", help="Lock the model in RAM: it is never paged out.")]
MaxRam = Annotated[
    str | None,
    typer.Option(
        "--max-ram", metavar="SIZE", help="Run the engine within 2G, 1500M … of RAM, as a smaller device would."
    ),
]
Think = Annotated[
    str,
    typer.Option(
        "--think",
        metavar="auto|on|off|N",
        help="Reasoning, of models that do: as the template has it, on, off, or for at most N tokens (2048 unless given).",
    ),
]
AtK = Annotated[
    str | None,
    typer.Option("--k", metavar="K,…", help="pass@k for these k, by comma.  [default: 1,10,100 where possible]"),
]
Force = Annotated[bool, typer.Option("--force", help="Load the model even where it does not seem to fit.")]

KeepGoing = Annotated[
    bool, typer.Option("--keep-going", help="Leave broken tasks of your own out instead of ending at the first one.")
]

Require = Annotated[
    str | None,
    typer.Option(
        "--require",
        metavar="TERMS",
        help='Exit 7 unless some model meets all: "ram<2G, ttft<5s, pass@1[lowcost60,plain]>0.5, s_per_problem<60, '
        'wh_per_problem<1" (also ttft_p95).',
    ),
]


def requirements(text: str | None) -> tuple[Term, ...]:
    """The terms of --require, () without it. UsageError before anything is done."""
    if text is None:
        return ()
    from cpu_codegen.requirements import parse_requirements

    return parse_requirements(text)


def one_of(option: str, value: str, allowed: Sequence[str]) -> str:
    """The value, or UsageError with those that there are."""
    if value not in allowed:
        raise UsageError(f"{option} {value!r} is not known", remedy=f"{option} {' or '.join(allowed)}")
    return value


def comparator_of(text: str) -> Comparator:
    """The word of --comparator."""
    return cast(Comparator, one_of("--comparator", text, COMPARATORS))


def split_commas(values: list[str] | None) -> tuple[str, ...]:
    """`a,b` and repeated options both work; order kept, repeats dropped."""
    parts = [part.strip() for value in values or [] for part in value.split(",")]
    return tuple(dict.fromkeys(part for part in parts if part))


def at_k(text: str | None) -> tuple[int, ...] | None:
    """`1,10` → (1, 10); None stays None."""
    if text is None:
        return None
    parts = split_commas([text])
    if not parts or not all(part.isdigit() and int(part) >= 1 for part in parts):
        raise UsageError(f"--k {text!r} is no list of numbers from 1", remedy="--k 1,10")
    return tuple(sorted(map(int, parts)))


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|min|h)?$")
_UNITS = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def seconds(text: str, option: str) -> float:
    """`45s`, `4m`, `1.5h` or plain seconds → seconds. `option` is whose value it is."""
    match = _DURATION.match(text.strip())
    if match is None:
        raise UsageError(f"{option} {text!r} is no duration", remedy=f"{option} 45s, 4m or 1.5h")
    return float(match[1]) * _UNITS[match[2]]


def thinking(text: str) -> config.Think:
    """`auto`, `on`, `off` or a number of tokens."""
    if text in ("auto", "on", "off"):
        return cast(Literal["auto", "on", "off"], text)
    if not text.isdecimal() or int(text) < 1:
        raise UsageError(f"--think {text!r} is not known", remedy="--think auto, on, off, or a number of tokens from 1")
    return int(text)


def kv_types(text: str) -> tuple[str, str]:
    """`q8_0`, or `k=q8_0,v=f16` → types of the K and of the V cache."""
    from cpu_codegen.engine.room import parse_kv_types

    return parse_kv_types(text)


def size(text: str | None) -> int | None:
    """`2G`, `1500M` … → bytes."""
    from cpu_codegen.sizes import parse_bytes

    if text is None:
        return None
    if not (count := parse_bytes(text)):
        raise UsageError(f"--max-ram {text!r} is no memory to run in", remedy="--max-ram 2G")
    return count
