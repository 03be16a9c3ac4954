"""Samples of runs, chosen by problem, style, outcome or finding, and as one table: a row per sample."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.measure.findings import has_finding
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.schema import Outcome

Sample = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which samples; an empty tuple is no condition. `failed`: judged, and not passed.

    `findings`: all of them must be there (measure/findings.py).
    """

    ids: Sequence[str] = ()
    styles: Sequence[str] = ()
    outcomes: Sequence[str] = ()
    findings: Sequence[str] = ()
    failed: bool = False

    def __contains__(self, sample: Sample) -> bool:
        name = sample["problem_id"]
        return (
            (not self.failed or sample["outcome"] not in (Outcome.PASSED, None))
            and (not self.ids or name in self.ids or name.partition("/")[2] in self.ids)
            and (not self.styles or sample["style"] in self.styles)
            and (not self.outcomes or sample["outcome"] in self.outcomes)
            and all(has_finding(sample.get("efficiency") or {}, finding) for finding in self.findings)
        )


_COLUMNS: dict[str, Callable[[Sample], Cell]] = {
    "problem": lambda s: s["problem_id"],
    "level": lambda s: s["level"],
    "style": lambda s: s["style"],
    "index": lambda s: s["index"],
    "outcome": lambda s: s["outcome"] or "not judged yet",
    "detail": lambda s: s.get("detail") or "",
    "tests passed": lambda s: s.get("tests_passed"),
    "tests": lambda s: s.get("tests_total"),
    "tokens": lambda s: s.get("completion_tokens"),
    "ended by": lambda s: s.get("finish_reason"),
    "CPU time / reference": lambda s: _ratio(s),
}
_NUMBERS = frozenset(("index", "tests passed", "tests", "tokens", "CPU time / reference"))


def _ratio(sample: Sample) -> float | None:
    ratio = (sample.get("efficiency") or {}).get("cpu_ratio")
    return round(ratio["value"], 3) if ratio else None


def samples_table(samples: Iterable[Sample]) -> Table:
    """One row per sample; the run's name first where samples are of several."""
    chosen = list(samples)
    several = len({sample["run"] for sample in chosen}) > 1
    columns = ("run", *_COLUMNS) if several else tuple(_COLUMNS)
    rows: list[tuple[Cell, ...]] = [
        (*((sample["run"],) if several else ()), *(read(sample) for read in _COLUMNS.values())) for sample in chosen
    ]
    return Table(columns, rows, right=_NUMBERS)
