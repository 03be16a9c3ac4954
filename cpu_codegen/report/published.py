"""The registry's published scores of the models that were run: of the same fine-tune unquantized, never mixed with ours.

A score stands with its setting and source or not at all (contracts §8). Models that the registry does not know have none.
"""

from __future__ import annotations

from collections.abc import Sequence

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell, Table

COLUMNS = ("model", "suite", "score, %", "setting", "precision", "source", "date")


def published_table(summaries: Sequence[RunSummary]) -> Table:
    """One row per model and suite, the suites that were run first; no rows where nothing is known."""
    run = {cell.suite for summary in summaries for cell in summary.cells}
    aliases = dict.fromkeys(str((summary.manifest.get("model") or {}).get("alias") or "") for summary in summaries)
    rows = [row for alias in aliases if alias for row in _rows(alias, run)]
    return Table(COLUMNS, rows, title="published, unquantized, not measured here", right=frozenset(("score, %",)))


def _rows(alias: str, run: set[str]) -> list[tuple[Cell, ...]]:
    try:
        catalogue = load_catalogue()
    except CpuCodegenError:  # a broken registry of the user's own must not cost the report
        return []
    if alias not in catalogue.models:
        return []
    rows: list[tuple[Cell, ...]] = []
    for known in catalogue.default(alias).published:
        for suite in sorted(known.scores, key=lambda suite: (suite not in run, suite)):
            facts = (known.setting, known.precision or None, known.source, known.date or None)
            rows.append((alias, suite, known.scores[suite], *facts))
    return rows
