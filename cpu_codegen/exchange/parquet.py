"""Samples of a run as one Parquet file, typed, with answers and code: for notebooks and data frames. Needs pyarrow.

Columns are those of `--as csv`, then `text` (the raw answer) and `code` (what was executed). Absent values are null. Lone
surrogates, which UTF-8 cannot hold, appear escaped.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from cpu_codegen.errors import MachineError
from cpu_codegen.exchange.lines import CSV_HEADER, csv_rows

_WHOLE = frozenset("index tests_passed tests_total prompt_tokens completion_tokens reasoning_tokens width".split())
_WORDS = frozenset(
    "problem_id suite level style outcome detail base_status plus_status finish_reason text code".split()
)
COLUMNS = (*CSV_HEADER, "text", "code")


def write_parquet(samples: Iterable[dict[str, Any]], path: Path) -> Path:
    """Writes the file as a whole. MachineError without pyarrow, or where the disk refuses."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise MachineError("parquet needs pyarrow", remedy="pip install 'cpu-codegen[parquet]'") from error
    kinds = {name: _kind(pyarrow, name) for name in COLUMNS}
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for sample in samples:
        row = (*next(csv_rows([sample])), sample.get("text"), sample.get("code"))
        for name, value in zip(COLUMNS, row, strict=True):
            columns[name].append(_plain(value) if name in _WORDS else value)
    arrays = [pyarrow.array(columns[name], type=kinds[name]) for name in COLUMNS]
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        parquet.write_table(pyarrow.table(arrays, names=list(COLUMNS)), temporary)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise MachineError(f"cannot write {path}: {error.strerror or error}", remedy="--out another/file") from error
    return path


def _kind(pyarrow: Any, name: str) -> Any:
    if name in _WORDS:
        return pyarrow.string()
    if name == "format_ok":
        return pyarrow.bool_()
    return pyarrow.int64() if name in _WHOLE else pyarrow.float64()


def _plain(value: Any) -> str | None:
    return None if value is None else str(value).encode("utf-8", "backslashreplace").decode("utf-8")
