"""The rebuilt EvalPlus sanitizer agrees with the recorded cases, flaws included."""

from __future__ import annotations

import ast
import json
from pathlib import Path

from cpu_codegen.extraction.answer import extract
from cpu_codegen.extraction.evalplus import extract_evalplus

from .test_answer import parse


def _same(ours: str, theirs: str) -> bool:
    """Equal but for blank lines between definitions (tree-sitter joins with one newline)."""
    return [line for line in ours.splitlines() if line.strip()] == [
        line for line in theirs.splitlines() if line.strip()
    ]


def test_recorded_cases_agree(shared: Path) -> None:
    """Every case of samples/extraction.jsonl gives EvalPlus's text."""
    for line in (shared / "samples" / "extraction.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        found = extract_evalplus(case["raw"], entry_point=case["entry_point"], statement="", parse=parse)
        assert _same(found.code, case["evalplus_sanitized"]), case["case"]


def test_our_default_keeps_what_evalplus_drops(shared: Path) -> None:
    """On the same raw answers ours never yields less that defines the entry point."""
    for line in (shared / "samples" / "extraction.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        ours = extract(case["raw"], entry_point="add", statement="def add(x, y):\n    '''Add.'''\n", parse=parse).code
        if "add" in case["evalplus_sanitized"]:
            names = {
                node.name for node in ast.parse(ours).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert "add" in names, case["case"]


def test_a_long_answer_does_not_take_minutes() -> None:
    """800 lines of prose and code end in time (the original: 65 s)."""
    text = "some words of prose, not code\n" * 400 + "def add(x, y):\n" + "    x += y\n" * 398 + "    return x\n"
    assert "return x" in extract_evalplus(text, entry_point="add", statement="", parse=parse).code
