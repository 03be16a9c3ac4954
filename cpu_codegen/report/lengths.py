"""Pass rate by the length of the reference solution: thirds of the problems, by code lines without blanks, comments, docstrings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cpu_codegen.report.rates import Sample, counts
from cpu_codegen.report.references import Reference, references
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell as TableCell
from cpu_codegen.report.tables import Table
from cpu_codegen.report.who import who_columns, who_is
from cpu_codegen.schema import Outcome

MIN_PROBLEMS = 9  # three in each third


@dataclass(frozen=True, slots=True)
class Third:
    """References of `low` to `high` code lines, both ends included; `high` None = no upper end."""

    low: int
    high: int | None

    @property
    def name(self) -> str:
        """`under 8 lines`, `8 to 13 lines`, `14 lines or more`."""
        if self.high is None:
            return f"{self.low} lines or more"
        return f"under {self.high + 1} lines" if self.low == 0 else f"{self.low} to {self.high} lines"

    def __contains__(self, lines: object) -> bool:
        return isinstance(lines, int) and self.low <= lines and (self.high is None or lines <= self.high)


def thirds(known: Mapping[str, Reference]) -> list[Third]:
    """Cut where a third and two thirds of the problems lie; none for too few problems or lengths that are all alike."""
    lengths = sorted(reference.lines for reference in known.values() if reference.lines)
    if len(lengths) < MIN_PROBLEMS:
        return []
    first, second = lengths[len(lengths) // 3], lengths[2 * len(lengths) // 3]
    if not lengths[0] < first < second:
        return []
    return [Third(0, first - 1), Third(first, second - 1), Third(second, None)]


def tally(samples: Iterable[Sample], known: Mapping[str, Reference], third: Third) -> tuple[int, int]:
    """Passed answers, and all that count, whose problem's reference is that long."""
    chosen = [s for s in samples if counts(s) and _lines(s, known) in third]
    return sum(s["outcome"] == Outcome.PASSED for s in chosen), len(chosen)


def length_records(
    samples: Sequence[Sample], known: Mapping[str, Reference], parts: Sequence[Third]
) -> list[dict[str, Any]]:
    """One record per third: name, ends, passed, n."""
    found = [(third, *tally(samples, known, third)) for third in parts]
    return [
        {"name": third.name, "low": third.low, "high": third.high, "passed": passed, "n": n}
        for third, passed, n in found
    ]


def _lines(sample: Sample, known: Mapping[str, Reference]) -> int | None:
    reference = known.get(f"{sample['suite']} {sample['problem_id']}")
    return reference.lines if reference and reference.lines else None


def lengths_table(summaries: Sequence[RunSummary]) -> Table:
    """One row per run, suite and style, one column per third; without rows where too few references are at hand."""
    known, who = references(summaries), who_columns(summaries)
    parts = thirds(known)
    columns = (*who, *(third.name for third in parts))
    rows: list[tuple[TableCell, ...]] = []
    for summary in summaries if parts else ():
        for cell in summary.overall():
            samples = [s for s in summary.samples if (s["suite"], s["style"]) == (cell.suite, cell.style)]
            found = [tally(samples, known, third) for third in parts]
            shown = (f"{passed / n:.2f} ({passed}/{n})" if n else None for passed, n in found)
            rows.append((*who_is(summary, cell, who), *shown))
    title = "share passed by the length of the reference solution (lines of code)"
    return Table(columns, rows, title=title, right=frozenset(columns) - set(who))
