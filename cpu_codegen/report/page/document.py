"""The HTML of the page: answer and table as plain HTML (readable without a script), then what the script fills from the data.

The data are deflated and inflated in the page; the Content-Security-Policy names the hashes of the page's own scripts and style and
allows nothing else: no request, no inline handler, no markup made from text (Trusted Types).
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cpu_codegen.counts import count_of
from cpu_codegen.durable import write_whole
from cpu_codegen.report import figures, overview
from cpu_codegen.report.advice import Advice, Row, advise
from cpu_codegen.report.elsewhere import Elsewhere, elsewhere_table
from cpu_codegen.report.escape import for_html
from cpu_codegen.report.gate import gate_table
from cpu_codegen.report.groups import group_notes, groups_of
from cpu_codegen.report.page.data import page_figures, page_texts
from cpu_codegen.report.page.foot import run_facts
from cpu_codegen.report.published import published_table
from cpu_codegen.report.references import references
from cpu_codegen.report.stopped import race_table, stopped_table
from cpu_codegen.report.summary import Cell, RunSummary
from cpu_codegen.report.tables import Table, as_html
from cpu_codegen.requirements import Gate

HERE = Path(__file__).resolve().parent
MAX_BYTES = 3_000_000
ANSWER_LIMITS = (60_000, 12_000, 4_000, 1_500, 400, 100, 0)
VENDOR = (
    "d3-array",
    "d3-color",
    "d3-interpolate",
    "d3-format",
    "d3-time",
    "d3-time-format",
    "d3-scale",
    "d3-path",
    "d3-shape",
    "d3-selection",
    "d3-axis",
)
SCRIPTS = (
    "base",
    "highlight",
    "diff",
    "table",
    "plots",
    "charts",
    "pairs",
    "ladder",
    "efficiency",
    "list",
    "samples",
    "start",
)


def write_page(
    summaries: Sequence[RunSummary], path: Path, others: Sequence[Elsewhere] = (), gates: Sequence[Gate] = ()
) -> Path:
    """Writes the page as a whole and gives its path back. `gates`: what `--require` said of each run."""
    write_whole(path, page_html(summaries, others, gates))
    return path


def page_html(summaries: Sequence[RunSummary], others: Sequence[Elsewhere] = (), gates: Sequence[Gate] = ()) -> str:
    """The page's text; long answers are cut at the first limit by which it stays under MAX_BYTES, else at the last one."""
    known, advice = references(summaries), advise(summaries)
    before, after = _around_the_data(summaries, others, gates, advice)
    numbers = page_figures(summaries, known, advice.row)

    @cache
    def cut_at(limit: int) -> str:
        return before + packed(numbers | page_texts(summaries, known, limit=limit)) + after

    def fits(limit: int) -> bool:
        return len(cut_at(limit).encode()) <= MAX_BYTES

    if fits(ANSWER_LIMITS[0]):
        return cut_at(ANSWER_LIMITS[0])
    place = bisect_left(ANSWER_LIMITS, True, lo=1, hi=len(ANSWER_LIMITS) - 1, key=fits)  # each try takes seconds
    return cut_at(ANSWER_LIMITS[place])


def packed(data: dict[str, Any]) -> str:
    """JSON → raw deflate → base64: no character in it can end a script element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
    return base64.b64encode(squeezed.compress(text.encode()) + squeezed.flush()).decode("ascii")


@cache
def _asset(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8").strip()


@cache
def _scripts() -> tuple[str, str]:
    """The vendored library as one script, our own as another."""
    own = "\n".join(_asset(f"{name}.js") for name in SCRIPTS)
    return "\n".join(_asset(f"vendor/{name}.min.js") for name in VENDOR), f'"use strict";\n(() => {{\n{own}\n}})();'


def policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    """A Content-Security-Policy under which exactly these inline texts run and nothing can be loaded or sent."""
    rules = [
        "default-src 'none'",
        "script-src " + " ".join(map(inline_source, scripts)),
        "style-src " + " ".join(map(inline_source, styles)),
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    return "; ".join(rules)


def inline_source(text: str) -> str:
    """The source expression of an inline text in a policy: its hash."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _around_the_data(
    summaries: Sequence[RunSummary], others: Sequence[Elsewhere], gates: Sequence[Gate], advice: Advice
) -> tuple[str, str]:
    """The page before and after its data. Filled in one pass, so that no foreign text is taken for a place to fill."""
    library, script = _scripts()
    style = _asset("page.css")
    parts = {
        "POLICY": policy((library, script), (style,)),
        "STYLE": style,
        "LIBRARY": library,
        "SCRIPT": script,
        "TITLE": for_html(_title(summaries)),
        "SUITES": "one-suite" if len({c.suite for s in summaries for c in s.cells}) < 2 else "several-suites",
        "ANSWER": for_html(advice.sentence),
        "BECAUSE": for_html(advice.because),
        "RULE": for_html(advice.rule),
        "NOTES": _listed(_notes(summaries)),
        "ROWS": _rows(summaries, advice.row),
        "REASONING": _region(overview.reasoning(summaries), "Reasoning"),
        "PUBLISHED": _published(summaries),
        "STOPPED": _region(stopped_table(summaries), "Stopped by the race"),
        "OTHERS": _others(others) + _region(gate_table(gates), "Requirements"),
        "FOOT": _groups(summaries) + "".join(run_facts(summary) for summary in summaries),
    }
    before, after = _asset("page.html").split("@DATA@")
    return _filled(before, parts), _filled(after, parts)


def _title(summaries: Sequence[RunSummary]) -> str:
    """The group where there is one, and the models."""
    groups = [path.name for path in groups_of([summary.path for summary in summaries])]
    models = ", ".join(dict.fromkeys(summary.model for summary in summaries))
    return f"{', '.join(groups)}: {models}"[:120] if groups else models[:120]


def _filled(template: str, parts: dict[str, str]) -> str:
    return re.sub(r"@([A-Z]+)@", lambda match: parts[match[1]], template)


def _listed(notes: list[str], shown: int = 3) -> str:
    """The first notes in sight, the rest folded, so that a phone's first screen has room for the answer."""
    items = [f"<li>{for_html(note)}</li>" for note in notes]
    rest = "".join(items[shown:])
    more = (
        f"<details><summary>{count_of(len(items) - shown, 'more note')}</summary><ul>{rest}</ul></details>"
        if rest
        else ""
    )
    return f"<ul>{''.join(items[:shown])}</ul>{more}" if items else ""


def _notes(summaries: Sequence[RunSummary]) -> list[str]:
    every_demo = all(
        map(overview.is_demo, summaries)
    )  # then the heading says it; what efficiency leaves out its section says
    notes = overview.notes(summaries, name_demo=not every_demo, efficiency=False)
    machines = {(s.manifest.get("machine") or {}).get("id") for s in summaries}
    if len(machines) > 1:
        notes.append(f"these runs come from {len(machines)} machines: compare pass@1, not seconds")
    if len({frozenset(x["problem_id"] for x in s.samples) for s in summaries if s.stop is None}) > 1:
        notes.append("not every run has the same problems: compare them with cpu-codegen compare")
    return notes


def _rows(summaries: Sequence[RunSummary], advised: Row | None) -> str:
    """The table's body, the best of each suite first; data-v carries what a column sorts by, links lead to the samples."""
    numbers = {id(summary): number for number, summary in enumerate(summaries)}
    models = [summary.model for summary in summaries]
    rows = []
    for summary, cell in overview.ranked(summaries):
        number, cost, ratio, kept = numbers[id(summary)], cell.cost, cell.efficiency.ratio, cell.format_ok
        to = _samples_link(number, cell)
        cells = [
            _th(
                summary,
                cell.style,
                to,
                advised=bool(advised and advised.cell is cell),
                run=models.count(summary.model) > 1,
            ),
            _td(cell.suite, cell.suite),
            _td(figures.share(cell.pass1), cell.pass1.value if cell.pass1 else None, to),
            _td(figures.number(cost.seconds_per_problem), cost.seconds_per_problem, f"{to}&sort=seconds"),
            _td(figures.size(cost.peak_rss_bytes), cost.peak_rss_bytes),
            _td(figures.number(cost.tokens_per_s), cost.tokens_per_s, f"{to}&sort=tokens"),
            _td(
                figures.number(cost.correct_per_hour),
                cost.correct_per_hour,
                f"{to}&outcome=passed" if cell.passed else "",
            ),
            _td(figures.count(cell), cell.n, to),
            _td(
                figures.share(kept), kept.value if kept else None, f"{to}&format=no" if kept and kept.value < 1 else ""
            ),
            _td(figures.efficiency(cell.efficiency), ratio.value if ratio else None, f"{to}&sort=ratio"),
        ]
        rows.append(f'<tr data-run="{number}" data-style="{for_html(cell.style)}">{"".join(cells)}</tr>')
    return "\n".join(rows)


def _samples_link(number: int, cell: Cell) -> str:
    """The address of a row's samples within the page."""
    return f"#samples?run={number}&style={quote(cell.style)}&suite={quote(cell.suite)}"


def _th(summary: RunSummary, style: str, link: str, *, advised: bool, run: bool) -> str:
    """The row's head: model and style, whether the page advises it, and the folder where several are of one model."""
    model, shown = for_html(summary.model), for_html(style)
    more = ' <strong class="advised">advised</strong>' if advised else ""
    more += f"<small>{for_html(summary.name)}</small>" if run else ""
    return (
        f'<th scope="row" data-v="{model} {shown}"><a href="{for_html(link)}">{model}</a> '
        f'<span class="style">{shown}</span>{more}</th>'
    )


def _td(text: str, value: str | float | None, link: str = "") -> str:
    """A cell; its figure is a link where there is a value, an interval stands apart."""
    sort = "" if value is None else f' data-v="{for_html(str(value))}"'
    figure, bracket, rest = for_html(text).partition(" [")
    if link and value is not None:
        figure = f'<a href="{for_html(link)}">{figure}</a>'
    interval, _, after = rest.partition("]")
    return (
        f'<td{sort}>{figure} <span class="range">[{interval}]</span>{after}</td>'
        if bracket
        else f"<td{sort}>{figure}</td>"
    )


def _others(others: Sequence[Elsewhere]) -> str:
    """Scores that others measured, apart from ours."""
    return _region(elsewhere_table(list(others)), "Measured elsewhere, not run here") if others else ""


def _region(table: Table, name: str) -> str:
    """A table that scrolls by itself; nothing for one without rows."""
    if not table.rows:
        return ""
    return f'<div class="scroll" role="region" aria-label="{name}" tabindex="0">{as_html(table)}</div>'


def _published(summaries: Sequence[RunSummary]) -> str:
    """What others measured of these models unquantized, as the registry has it: folded, because it is not of this machine."""
    table = published_table(summaries)
    region = _region(table, "Published, unquantized, not measured here")
    return (
        f"<details><summary>published scores of these models, not measured here</summary>{region}</details>"
        if region
        else ""
    )


def _groups(summaries: Sequence[RunSummary]) -> str:
    """What each group's record says, and the race look by look."""
    found = []
    for path in groups_of([summary.path for summary in summaries]):
        notes = "".join(f"<li>{for_html(note)}</li>" for note in group_notes(path))
        inside = [summary for summary in summaries if summary.path.resolve().parent == path]
        looks = _region(race_table(inside), "The race, look by look")
        found.append(f"<details><summary>group {for_html(path.name)}</summary><ul>{notes}</ul>{looks}</details>\n")
    return "".join(found)
