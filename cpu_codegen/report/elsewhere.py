"""Scores measured elsewhere (a chatbot's, a paper's) beside ours: a table of their own, with source and "not run here".

Read from CSV with the columns model, suite, setting, pass@1, source (and date, if known). They enter no comparison and no advice.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.errors import UsageError, cause
from cpu_codegen.report.tables import Table

REQUIRED = ("model", "suite", "setting", "pass@1", "source")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """One score that somebody else measured; `setting` says how (shots, prompt, precision), or it means nothing."""

    model: str
    suite: str
    setting: str
    score: float
    source: str
    date: str = ""


def read_elsewhere(path: Path) -> list[Elsewhere]:
    """The rows of a file. UsageError names the line that lacks a source, a setting, or a share between 0 and 1."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [_row(path, number, record) for number, record in enumerate(csv.DictReader(file), start=2)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"cannot read {path}: {cause(error)}", remedy=f"CSV with {', '.join(REQUIRED)}") from error


def _row(path: Path, number: int, record: dict[str, str | None]) -> Elsewhere:
    missing = [name for name in REQUIRED if not (record.get(name) or "").strip()]
    if missing:
        raise UsageError(f"{path}:{number}: no {missing[0]}", remedy=f"CSV with {', '.join(REQUIRED)}")
    values = {name: (record.get(name) or "").strip() for name in (*REQUIRED, "date")}
    try:
        score = float(values["pass@1"])
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        raise UsageError(f"{path}:{number}: pass@1 {values['pass@1']!r} is no share", remedy="a number from 0 to 1")
    return Elsewhere(values["model"], values["suite"], values["setting"], score, values["source"], values["date"])


def elsewhere_table(rows: list[Elsewhere]) -> Table:
    """The rows with what they are."""
    columns = ("model", "suite", "pass@1", "setting", "source", "date", "measured")
    cells = [(r.model, r.suite, r.score, r.setting, r.source, r.date or None, "not run here") for r in rows]
    return Table(columns, list(cells), title="measured elsewhere", right=frozenset({"pass@1"}))
