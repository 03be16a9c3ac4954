"""Hostile text in every sink: nothing acts, nothing vanishes."""

from __future__ import annotations

import csv
import io
import json

import pytest

from cpu_codegen.report.escape import for_csv, for_html, for_latex, for_markdown, for_terminal
from cpu_codegen.report.formats import Format
from cpu_codegen.report.tables import Table, write_table

HOSTILE = [
    "\x1b]0;owned\x07\x1b[2J",
    "safe\u202e txt.exe",
    "</script><img src=x onerror=alert(1)>",
    '=HYPERLINK("http://evil")',
    "a|b\n| --- |\n![x](http://evil)",
    r"\input{/etc/passwd} $x_1$ % comment",
    "\ud800 lone surrogate",
    "nul\x00byte",
    "[bold red]not markup[/]",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_terminal_gets_no_control_or_bidi_character(text: str) -> None:
    """Escapes and overrides are shown as text."""
    shown = for_terminal(text)
    assert not any((ord(c) < 32 and c not in "\n\t") or c in "\x7f\u202e\u2066" for c in shown)
    shown.encode("utf-8")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_html_holds_no_tag_of_the_text(text: str) -> None:
    """No angle bracket or quote survives."""
    assert not set(for_html(text)) & set("<>\"'")


def test_a_spreadsheet_computes_nothing() -> None:
    """Formula starts get an apostrophe; numbers stay numbers."""
    assert for_csv('=HYPERLINK("x")').startswith("'=")
    assert for_csv("-1.5") == "-1.5"
    assert for_csv("@cmd").startswith("'@")


def test_latex_knows_our_signs_and_no_options() -> None:
    """pdflatex has no letters for − × ≥ …; a cell that begins with [ or * does not become an option of the row before."""
    assert for_latex("−3.1 ≥ 1.2×") == r"$-$3.1 $\geq$ 1.2$\times$"
    assert for_latex("[1cm]x") == "{[}1cm]x"
    assert for_latex("*") == "{*}"
    assert for_latex("0.5 [0.1, 0.9]") == "0.5 [0.1, 0.9]"


def test_latex_holds_only_what_pdflatex_has_letters_for() -> None:
    """Any other letter would stop it: those are spelled out, é is one letter however it was typed, and braces stay balanced."""
    every = "".join(map(chr, range(0x3100)))
    written = for_latex(every)
    assert set(written) <= set(map(chr, range(0x20, 0x7F))) | set("€№™←↑→↓‐‑‒—―‖‘’“”†‡•‰") | set(
        map(chr, range(0xA1, 0x21C))
    )
    assert not set(written) & set("þðđ«»Ωモ")
    assert written.count("{") - written.count("\\{") == written.count("}") - written.count("\\}")
    assert for_latex("モ") == r"\textbackslash{}u\{30e2\}"
    assert for_latex("cafe\u0301 <a|b>") == r"café \textless{}a\textbar{}b\textgreater{}"
    assert for_latex("--max---x") == "-{}-max-{}-{}-x"


def test_markdown_and_latex_specials_are_escaped() -> None:
    """A cell stays one cell; a command stays text."""
    assert "\n" not in for_markdown("a|b\nc")
    assert "\\|" in for_markdown("a|b")
    assert "\\input" not in for_latex(r"\input{x}")


@pytest.mark.parametrize("output", list(Format))
def test_a_table_of_hostile_cells_is_written_in_every_format(output: Format) -> None:
    """Rows stay rows, and what can be parsed back parses back."""
    table = Table(columns=("id", "text"), rows=[(i, t) for i, t in enumerate(HOSTILE)], right=frozenset({"id"}))
    stream = io.StringIO()
    write_table(table, output, stream)
    text = stream.getvalue()
    assert "\x1b" not in text
    assert "\u202e" not in text
    if output is Format.CSV:
        assert len(list(csv.reader(io.StringIO(text)))) == len(HOSTILE) + 1
    if output is Format.JSONL:
        assert [json.loads(line)["text"] for line in text.splitlines()] == HOSTILE
    if output is Format.MD:
        assert len(text.splitlines()) == len(HOSTILE) + 2
