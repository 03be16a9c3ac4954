"""Runs against `--require`: a run's numbers → the figures that terms ask for, and how the verdicts are shown.

Figures are per suite and style, never pooled (a term without [SUITE,STYLE] must hold in each); peak memory is the run's. Intervals
are over problems: of a rate as in the report, of seconds and energy by bootstrap, of a time to first token by order statistics.
Not covered: the rule of verdicts (requirements.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from cpu_codegen.report.cost import rated
from cpu_codegen.report.rates import pass_at
from cpu_codegen.report.summary import ALL_LEVELS, Cell, RunSummary
from cpu_codegen.report.tables import Table
from cpu_codegen.requirements import Figure, Gate, Term, judge, problems_wanted
from cpu_codegen.schema import LEVELS
from cpu_codegen.stats import FEWEST_PROBLEMS, Interval, bootstrap_mean, quantile
from cpu_codegen.store import plain

Sample = dict[str, Any]
P95_PROBLEMS = 72
"""Fewer do not bound a 95th percentile from above: 0.95^72 is the first power under 2.5 %."""

# what to add for more problems: the names for -s, how many they hold, and the names of a run that has them already
_MORE = (("humaneval", 164, {"humaneval", "humaneval+"}), ("mbpp+", 378, {"mbpp+"}))
_BOTH = ("humaneval,mbpp+", 542)


def gates_of(summaries: Sequence[RunSummary], terms: Sequence[Term]) -> list[Gate]:
    """One gate per run; [] without terms."""
    return [gate_of(summary, terms) for summary in summaries] if terms else []


def gate_of(summary: RunSummary, terms: Sequence[Term]) -> Gate:
    """A run against all terms."""
    findings = [judge(term, figure) for term in terms for figure in figures_of(summary, term)]
    return Gate(summary.model, summary.name, tuple(findings))


def figures_of(summary: RunSummary, term: Term) -> list[Figure]:
    """What the run knows of a term: one figure for each suite and style that it means; never none."""
    cells = _cells(summary, term)
    if not cells:
        return [Figure(None, why=_not_there(summary, term), where=", ".join(term.selectors))]
    if term.name == "ram":
        return [_ram(cells, term)]
    measure = _MEASURES.get(term.name, _pass_at_k)
    return [_advised(summary, cell, term, measure(summary, cell, term)) for cell in cells]


def _cells(summary: RunSummary, term: Term) -> list[Cell]:
    has_level = bool(set(term.selectors) & set(LEVELS))
    return [
        cell
        for cell in summary.cells
        if (cell.level != ALL_LEVELS) == has_level and set(term.selectors) <= {cell.suite, cell.style, cell.level}
    ]


def _not_there(summary: RunSummary, term: Term) -> str:
    if not summary.cells:
        return "the run holds no answers yet"
    have = dict.fromkeys(f"{cell.suite}, {cell.style}" for cell in summary.overall())
    return f"the run has no [{','.join(term.selectors)}]; it has {'; '.join(have)}"


def _where(cell: Cell) -> str:
    return f"{cell.suite}, {cell.style}" + (f", {cell.level}" if cell.level != ALL_LEVELS else "")


def _samples(summary: RunSummary, cell: Cell) -> list[Sample]:
    return [s for s in summary.samples if _is_of(s, cell)]


def _timed(summary: RunSummary, cell: Cell) -> Sequence[Sample]:
    """Those whose seconds and joules say something of this run."""
    return rated(_samples(summary, cell))


def _is_of(sample: Sample, cell: Cell) -> bool:
    return (
        sample["suite"] == cell.suite and sample["style"] == cell.style and cell.level in (ALL_LEVELS, sample["level"])
    )


def _ram(cells: Sequence[Cell], term: Term) -> Figure:
    """The peak is one reading: it has no interval."""
    peaks = [cell.cost.peak_rss_bytes for cell in cells if cell.cost.peak_rss_bytes]
    where = ", ".join(term.selectors)
    if not peaks:
        return Figure(None, where=where, why="the engine's memory was not read")
    widths = [cell.cost.width for cell in cells if cell.cost.width]
    together = f"peak, {max(widths)} sequences together" if widths and max(widths) > 1 else "peak"
    return Figure(max(peaks), max(peaks), max(peaks), 1, where, is_maximum=True, note=together)


def _pass_at_k(summary: RunSummary, cell: Cell, term: Term) -> Figure:
    """The report's own figure; unknown answers widen its interval, an anytime-valid one holds for stopped runs."""
    begun = [s for s in summary.unfinished if _is_of(s, cell)]
    samples = [s for s in [*_samples(summary, cell), *begun] if s["outcome"] != "harness_error"]
    found = pass_at(samples, (term.k,), anytime=summary.stop is not None).get(term.k)
    if found is None:
        judged = any(sample["outcome"] is not None for sample in samples)
        why = (
            f"every problem needs {term.k} answers: --n {term.k}" if judged and term.k > 1 else "nothing is judged yet"
        )
        return Figure(None, where=_where(cell), why=why)
    notes = [f"{cell.unknown} unknown"] if cell.unknown else []
    if cell.wanted and cell.n < cell.wanted:
        notes.append(f"{cell.n} of {cell.wanted} answers so far")
    return Figure(found.value, found.low, found.high, found.n, _where(cell), note=", ".join(notes))


def _seconds(summary: RunSummary, cell: Cell, term: Term) -> Figure:
    """Mean of cost_s, a share of one model load included; the load is a constant, so only the answers spread."""
    value = cell.cost.seconds_per_problem
    costs = _by_problem(_timed(summary, cell), lambda sample: sample.get("cost_s"))
    if value is None or not costs:
        return Figure(None, where=_where(cell), why="the run recorded no time (answers made elsewhere)")
    return _mean(costs, cell, value)


def _energy(summary: RunSummary, cell: Cell, term: Term) -> Figure:
    """Mean of energy_j in Wh; only where every answer has a reading."""
    samples = _timed(summary, cell)
    joules = _by_problem(samples, lambda sample: sample.get("energy_j"))
    if not joules or any(sample.get("energy_j") is None for sample in samples):
        read = sum(sample.get("energy_j") is not None for sample in samples)
        why = f"{read} of {len(samples)} answers have a reading" if read else _no_energy(summary)
        return Figure(None, where=_where(cell), why=why)
    return _mean([value / 3600 for value in joules], cell)


def _no_energy(summary: RunSummary) -> str:
    return str((summary.manifest.get("machine") or {}).get("energy_why") or "no readable energy counter")


def _mean(values: Sequence[float], cell: Cell, value: float | None = None) -> Figure:
    """Over too few problems without an interval: a bootstrap of two or three values is far too sure of itself."""
    middle = math.fsum(values) / len(values)
    shift = 0.0 if value is None else value - middle
    drawn = bootstrap_mean(values) if len(values) >= FEWEST_PROBLEMS else Interval(-math.inf, math.inf)
    return Figure(middle + shift, max(drawn.low + shift, 0.0), drawn.high + shift, len(values), _where(cell))


def _first_token(summary: RunSummary, cell: Cell, term: Term) -> Figure:
    """At one stream only; an answer's wait in a batch is no user's."""
    samples = _timed(summary, cell)
    widths = {sample.get("width") or 1 for sample in samples}
    if widths != {1}:
        return Figure(None, where=_where(cell), why=f"{max(widths)} sequences ran together: run --parallel 1, or bench")
    times = _by_problem(samples, lambda sample: sample.get("ttft_s"))
    if not times:
        return Figure(None, where=_where(cell), why="the engine gave no time to first token")
    found = quantile(times, 0.95 if term.name == "ttft_p95" else 0.5)
    few = term.name == "ttft_p95" and found.n < P95_PROBLEMS
    note = f"a 95th percentile is bounded by {P95_PROBLEMS} problems and more" if few else ""
    return Figure(found.value, max(found.low, 0.0), found.high, found.n, _where(cell), note=note)


_MEASURES: dict[str, Callable[[RunSummary, Cell, Term], Figure]] = {
    "s_per_problem": _seconds,
    "wh_per_problem": _energy,
    "ttft": _first_token,
    "ttft_p95": _first_token,
}


def _by_problem(samples: Sequence[Sample], value: Callable[[Sample], float | None]) -> list[float]:
    """A problem's answers are averaged first: they are not independent."""
    found: dict[str, list[float]] = {}
    for sample in samples:
        number = value(sample)
        if number is not None:
            found.setdefault(sample["problem_id"], []).append(number)
    return [math.fsum(values) / len(values) for values in found.values()]


def _advised(summary: RunSummary, cell: Cell, term: Term, figure: Figure) -> Figure:
    """With where more problems are to be had, where that would decide."""
    wanted = problems_wanted(term, figure) if figure.value is not None else None
    if wanted is None:
        return figure
    facts = (summary.manifest.get("suites") or {}).get(cell.suite, {})
    return replace(figure, more=_more(summary, cell, wanted, len(facts.get("order", [])) or figure.n, figure.n))


def _more(summary: RunSummary, cell: Cell, wanted: int, total: int, n: int) -> str:
    has = f"{cell.suite} has {total}"
    if wanted <= total and cell.level == ALL_LEVELS:
        return f"{has}, {n} of them ran"
    suites = {known.suite for known in summary.cells}
    left = [(name, count) for name, count, same in _MORE if not suites & same]
    choices = [*left, *([_BOTH] if len(left) == len(_MORE) else [])]
    add = next((name for name, count in choices if total + count >= wanted), "")
    return f"{has}, add -s {add}" if add else f"{has}, and no suite of ours makes up the rest"


# ── showing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def gate_table(gates: Sequence[Gate]) -> Table:
    """One row per term and place, and one for each model as a whole."""
    owner = "run" if any(gate.run for gate in gates) else "model"
    several = len(gates) > 1
    rows: list[tuple[str | int | float | None, ...]] = []
    for gate in gates:
        who = (gate.run or gate.model,) if several else ()
        rows += [(*who, f.term.text, f.figure.where or None, f.shown, f.evidence) for f in gate.findings]
        rows.append((*who, "all terms", None, gate.shown, None))
    columns = (*((owner,) if several else ()), "requirement", "where", "verdict", "evidence")
    return Table(columns, rows, title="requirements")


def gate_record(gate: Gate) -> dict[str, Any]:
    """For JSON: ends that the data do not bound are null."""
    return {"model": gate.model, "run": gate.run or None, "verdict": str(gate.verdict), "shown": gate.shown} | {
        "terms": [
            {
                "term": f.term.text,
                "name": f.term.name,
                "where": f.figure.where or None,
                "verdict": str(f.verdict),
                "estimated": f.figure.estimated,
                "value": plain(f.figure.value),
                "low": plain(f.figure.low) if f.figure.value is not None else None,
                "high": plain(f.figure.high) if f.figure.value is not None else None,
                "n": f.figure.n or None,
                "limit": f.term.limit,
                "operator": f.term.operator,
                "unit": str(f.term.unit),
                "evidence": f.evidence,
            }
            for f in gate.findings
        ]
    }


def with_gates(table: Table, gates: Sequence[Gate], owners: Sequence[int]) -> Table:
    """A flat table (csv, jsonl) with two columns more; `owners` gives the gate of each row."""
    if not gates:
        return table
    told = [(gate.shown, "; ".join(f"{f.term.text}: {f.shown}, {f.evidence}" for f in gate.findings)) for gate in gates]
    rows = [(*row, *told[owner]) for row, owner in zip(table.rows, owners, strict=True)]
    return Table((*table.columns, "require", "require_evidence"), rows, table.title, table.right)
