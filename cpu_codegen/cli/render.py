"""How a finished run shows itself: its summary on stdout, its page in the folder."""

from __future__ import annotations

import sys
from pathlib import Path

from cpu_codegen.errors import to_paste
from cpu_codegen.group import members
from cpu_codegen.report.escape import for_terminal
from cpu_codegen.report.folders import runs_in
from cpu_codegen.report.formats import Format
from cpu_codegen.report.gate import gates_of
from cpu_codegen.report.page import write_page
from cpu_codegen.report.summary import summarize
from cpu_codegen.report.write import write_summaries
from cpu_codegen.requirements import parse_requirements, require_a_pass


def render_page(path: Path) -> None:
    """Writes the page over a group as it stands; nothing while none of its runs has begun."""
    folders = members(path)
    if folders:
        write_page([summarize(folder) for folder in folders], path / "report.html")


def render_run(path: Path, output: Format, require: str | None = None) -> int:
    """Prints the summary of a run (or of a group's runs), writes report.html, gives the number of harness errors back.

    CheckFailed, after all is written, when no run meets what `--require` asks.
    """
    summaries = [summarize(folder) for folder in runs_in(path)]
    gates = gates_of(summaries, parse_requirements(require)) if require is not None else []
    page = write_page(summaries, path / "report.html", gates=gates)
    if output is Format.HTML:
        print(page)
    else:
        write_summaries(summaries, output, sys.stdout, full=False, gates=gates)
        if output is Format.TABLE:
            print(f"\npage     {for_terminal(str(page))}")
            print(f"look     {for_terminal(to_paste('show', path, '--failed'))}", file=sys.stderr)
    if require is not None:
        require_a_pass(gates, require)
    return sum(summary.faults for summary in summaries)
