"""A plain table and how it is written in each format; every cell that may hold foreign text is escaped for its sink."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import dataclass, field
from typing import IO, Any

from cpu_codegen.report.escape import for_csv, for_html, for_latex, for_markdown, for_terminal, visible
from cpu_codegen.report.formats import Format

Cell = str | int | float | None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells under named columns. `right` names the columns that hold numbers; None reads "–"."""

    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    title: str = ""
    right: frozenset[str] = field(default_factory=frozenset)


def shown(cell: Cell) -> str:
    """A cell as people read it."""
    if cell is None:
        return "–"
    return f"{cell:g}" if isinstance(cell, float) else str(cell)


def write_table(table: Table, output: Format, stream: IO[str]) -> None:
    """Writes one table in one format."""
    if output is Format.TABLE:
        stream.write(as_text(table, width=_width(stream)))
        return
    writers = {
        Format.MD: as_markdown,
        Format.CSV: as_csv,
        Format.JSON: as_json,
        Format.JSONL: as_jsonl,
        Format.LATEX: as_latex,
        Format.HTML: as_html,
    }
    stream.write(writers[output](table))


def _width(stream: IO[str]) -> int | None:
    """Columns of the terminal that reads the table; None = nobody's lines break (a file, a pipe)."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def as_text(table: Table, *, width: int | None = None) -> str:
    """Columns aligned with spaces; no box, so that it pastes anywhere.

    What is wider than `width` stands as several tables below each other, each with the first columns, which say what a row is of.
    """
    cells = [tuple(for_terminal(shown(c)).replace("\n", " ") for c in row) for row in [table.columns, *table.rows]]
    widths = [max(display_width(row[i]) for row in cells) for i in range(len(table.columns))]
    lines = [for_terminal(table.title) + "\n"] if table.title else []
    right = [name in table.right for name in table.columns]
    for part in _parts(widths, right, width):
        for row in cells:
            shown_row = "  ".join(_aligned(row[i], widths[i], right=right[i]) for i in part)
            lines.append(shown_row.rstrip() + "\n")
    return "".join(lines)


def _parts(widths: list[int], right: list[bool], width: int | None) -> list[list[int]]:
    """Which columns stand together: all where there is room, else as many as fit beside those that say what a row is of."""
    every = list(range(len(widths)))
    if width is None or sum(widths) + 2 * (len(widths) - 1) <= width:
        return [every]
    keys = [0]
    while len(keys) < len(every) and not right[len(keys)] and sum(widths[: len(keys) + 1]) <= width // 3:
        keys.append(len(keys))
    room = width - sum(widths[i] + 2 for i in keys)
    parts: list[list[int]] = []
    for i in every[len(keys) :]:
        if parts and sum(widths[j] + 2 for j in parts[-1]) + widths[i] <= room:
            parts[-1].append(i)
        else:
            parts.append([i])
    return [[*keys, *part] for part in parts] or [keys]


_NARROW = re.compile(r"[ -~\u00a1-\u00ac\u00ae-\u02ff\u2013\u2014\u2026]*")
"""Letters of one column each: for most tables nothing has to be loaded that knows the others."""


def display_width(text: str) -> int:
    """Columns on a terminal (wide and combining characters counted as it shows them)."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _aligned(text: str, width: int, *, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def as_markdown(table: Table) -> str:
    """A GitHub table."""
    title = f"**{for_markdown(table.title)}**\n\n" if table.title else ""
    head = "| " + " | ".join(for_markdown(c) for c in table.columns) + " |\n"
    rule = "|" + "|".join("---:" if c in table.right else "---" for c in table.columns) + "|\n"
    rows = ["| " + " | ".join(for_markdown(shown(c)) for c in row) + " |\n" for row in table.rows]
    return title + head + rule + "".join(rows)


def as_csv(table: Table) -> str:
    """RFC 4180 with \\n; numbers plain, text safe for spreadsheets."""
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow(["" if c is None else for_csv(c) if isinstance(c, str) else c for c in row])
    return buffer.getvalue()


def _records(table: Table) -> list[dict[str, Any]]:
    return [dict(zip(table.columns, row, strict=True)) for row in table.rows]


def as_json(table: Table) -> str:
    """A list of objects."""
    return json.dumps(_records(table), indent=1, allow_nan=False) + "\n"


def as_jsonl(table: Table) -> str:
    """One object a line."""
    return "".join(json.dumps(record, allow_nan=False) + "\n" for record in _records(table))


def as_latex(table: Table) -> str:
    """A booktabs tabular; the title stands above it as a comment, for the caption."""
    title = [f"% {visible(table.title, keep='')}"] if table.title else []
    alignment = "".join("r" if c in table.right else "l" for c in table.columns)
    lines = [*title, f"\\begin{{tabular}}{{{alignment}}}", "\\toprule", _latex_row(table.columns), "\\midrule"]
    lines += [_latex_row(row) for row in table.rows]
    return "\n".join([*lines, "\\bottomrule", "\\end{tabular}"]) + "\n"


def _latex_row(row: tuple[Cell, ...]) -> str:
    return " & ".join(for_latex(shown(c)) for c in row) + r" \\"


def as_html(table: Table) -> str:
    """A table element with a caption."""
    caption = f"<caption>{for_html(table.title)}</caption>" if table.title else ""
    head = "".join(f'<th scope="col">{for_html(c)}</th>' for c in table.columns)
    rows = "".join("<tr>" + "".join(f"<td>{for_html(shown(c))}</td>" for c in row) + "</tr>\n" for row in table.rows)
    return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>\n"
