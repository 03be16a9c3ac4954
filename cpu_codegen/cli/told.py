"""What a command that makes or removes things says on stdout: plain lines for people, records for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from cpu_codegen.cli.options import Format


def tell(records: Sequence[dict[str, Any]], lines: Sequence[str], *, output: Format, json: bool = False) -> None:
    """Prints the lines, or with -o the records: JSON as a list, the other formats as a table of their fields."""
    chosen = Format.JSON if json else output
    if chosen is Format.TABLE:
        sys.stdout.write("".join(f"{line}\n" for line in lines))
        return
    from cpu_codegen.report.tables import Table, write_table

    columns = tuple(dict.fromkeys(name for record in records for name in record))
    write_table(Table(columns, [tuple(record.get(name) for name in columns) for record in records]), chosen, sys.stdout)
