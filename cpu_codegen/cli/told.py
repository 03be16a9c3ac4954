"""What commands say in one way: what was made or removed (lines for people, records for programs), JSON, harness errors."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from cpu_codegen.cli.options import Format
from cpu_codegen.counts import count_of
from cpu_codegen.errors import HarnessError


def tell(records: Sequence[dict[str, Any]], lines: Sequence[str], *, output: Format, json: bool = False) -> None:
    """Prints the lines, or with -o the records: JSON as a list, the other formats as a table of their fields."""
    chosen = Format.JSON if json else output
    if chosen is Format.TABLE:
        from cpu_codegen.report.escape import for_terminal

        sys.stdout.write("".join(f"{for_terminal(line)}\n" for line in lines))
        return
    from cpu_codegen.report.tables import Table, write_table

    columns = tuple(dict.fromkeys(name for record in records for name in record))
    write_table(Table(columns, [tuple(record.get(name) for name in columns) for record in records]), chosen, sys.stdout)


def tell_json(value: Any, *, indent: int | None = 1) -> None:
    """Prints one strict JSON value: dataclasses as objects, what is not finite as null; on one line without `indent`."""
    import json

    from cpu_codegen.store import plain

    sys.stdout.write(json.dumps(plain(value), indent=indent, allow_nan=False) + "\n")


def tell_lines(records: Iterable[Any]) -> None:
    """Prints strict JSON, one record a line."""
    for record in records:
        tell_json(record, indent=None)


def harness_errors(count: int, remedy: str) -> HarnessError:
    """Exit 5, after all else is said."""
    samples = count_of(count, "sample")
    return HarnessError(
        f"{samples} could not be judged (harness_error) and {'counts' if count == 1 else 'count'} for nothing",
        remedy=remedy,
    )
