"""Why answers failed, in a word or two: the exception, a package that is not there, a crash; per suite and style.

Covered: the kinds as `report` prints them and the page counts them. Not covered: the eight outcomes (schema.Outcome) themselves.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Any

from cpu_codegen.report.escape import visible
from cpu_codegen.report.rates import Sample
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import Cell as TableCell
from cpu_codegen.report.tables import Table
from cpu_codegen.report.who import who_columns, who_is
from cpu_codegen.schema import Outcome

_EXCEPTION = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]{0,60}(?:Error|Exception|Exit|Interrupt|StopIteration|Warning))\b")
_OF_MODULE = re.compile(r"module '([A-Za-z0-9_]{1,60})[^']*' has no attribute")
_OF_BUILTIN = re.compile(
    r"(?:type object )?'(?:str|int|float|bool|list|tuple|dict|set|frozenset|bytes|range|NoneType)' (?:object )?has no attribute"
)


def error_kind(sample: Sample) -> str:
    """A short name for why a sample failed, "" for one that passed or is not judged.

    The detail of the verdict (import:pandas, crash:SIGSEGV, the exception's name), else the exception in the message, else the
    outcome. An AttributeError says whose attribute is missing, because invented functions of the standard library are a kind of
    their own.
    """
    if sample["outcome"] in (None, Outcome.PASSED):
        return ""
    message = str(sample.get("message") or "")[:300]
    named = _EXCEPTION.search(message) if sample["outcome"] == Outcome.ERROR else None
    kind = str(sample.get("detail") or (named[1] if named else sample["outcome"]))[:80]
    return visible(kind) + (_owner(message) if kind == "AttributeError" else "")


def _owner(message: str) -> str:
    """Whose attribute is missing."""
    module = _OF_MODULE.search(message)
    if module:
        return " on the standard library" if module[1] in sys.stdlib_module_names else " on another package"
    return " on a built-in type" if _OF_BUILTIN.search(message) else ""


def kind_records(summary: RunSummary) -> list[dict[str, Any]]:
    """Failures by suite, style and kind, the commonest first within each."""
    tally = Counter((s["suite"], s["style"], error_kind(s)) for s in summary.samples)
    rows = sorted(tally.items(), key=lambda item: (item[0][:2], -item[1], item[0][2]))
    return [{"suite": suite, "style": style, "kind": kind, "count": n} for (suite, style, kind), n in rows if kind]


def commonest_kinds(summaries: Sequence[RunSummary], most: int = 25) -> list[str]:
    """The kinds over all runs, the commonest first."""
    tally = Counter(kind for summary in summaries for s in summary.samples if (kind := error_kind(s)))
    return [kind for kind, _ in sorted(tally.items(), key=lambda item: (-item[1], item[0]))[:most]]


def kinds_table(summaries: Sequence[RunSummary], most: int = 8) -> Table:
    """One row per run, suite and style; a column per kind, the commonest first, and one for all others."""
    every, who = commonest_kinds(summaries, most=1_000_000), who_columns(summaries)
    kinds, others = every[:most], len(every) > most
    columns = (*who, *kinds, *(("other kinds",) if others else ()))
    rows: list[tuple[TableCell, ...]] = []
    for summary in summaries if every else ():
        for cell in summary.overall():
            counted = Counter(
                error_kind(s) for s in summary.samples if (s["suite"], s["style"]) == (cell.suite, cell.style)
            )
            rest = sum(n for kind, n in counted.items() if kind and kind not in kinds)
            rows.append((*who_is(summary, cell, who), *(counted[kind] for kind in kinds), *((rest,) if others else ())))
    return Table(columns, rows, title="failures by kind", right=frozenset(columns) - set(who))
