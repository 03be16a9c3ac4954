"""`models list` without the parser of options: the bare command is answered before typer would have been loaded."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cpu_codegen.report.formats import Format

if TYPE_CHECKING:
    from cpu_codegen.models.spec import ModelSpec


def write_list(
    words: Sequence[str] = (),
    *,
    here: bool = False,
    starter: str | None = None,
    models_file: Path | None = None,
    output: Format = Format.TABLE,
) -> None:
    """The registry's files that have all words, are here, or are of a starter set, in a format on stdout."""
    from cpu_codegen.models.catalogue import load_catalogue
    from cpu_codegen.models.listing import facts, listed, matches
    from cpu_codegen.registry import is_local
    from cpu_codegen.sizes import parse_bytes

    catalogue = load_catalogue(models_file)
    specs = catalogue.specs() if starter is None else catalogue.starters(parse_bytes(starter))
    found = [(spec, is_local(spec)) for spec in specs if matches(spec, words)]
    rows = [(spec, local) for spec, local in found if local or not here]
    if output in (Format.JSON, Format.JSONL):
        _write_records([facts(spec, local=local) for spec, local in rows], output)
        return
    from cpu_codegen.report.tables import write_table

    write_table(listed(rows), output, sys.stdout)
    if output is Format.TABLE:
        _explain([spec for spec, _ in rows])


def _explain(specs: list[ModelSpec]) -> None:
    """The marks of the table, as far as they occur."""
    if any(spec.repo and not spec.pinned for spec in specs):
        print("° no digest known: the first download records the hub's own", file=sys.stderr)
    if any(spec.commercial_use == "forbidden" for spec in specs):
        print("non-commercial: the publisher's terms, see models show MODEL", file=sys.stderr)
    print("next: cpu-codegen plan  (which of them fit this machine, and how fast)", file=sys.stderr)


def _write_records(records: list[dict[str, Any]], output: Format) -> None:
    import json

    if output is Format.JSONL:
        sys.stdout.writelines(json.dumps(record, allow_nan=False) + "\n" for record in records)
    else:
        print(json.dumps(records, indent=1, allow_nan=False))
