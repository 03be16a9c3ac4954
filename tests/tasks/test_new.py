"""`problems new`: what it writes passes `problems validate` once its blanks are filled, and says what is left until then."""

from __future__ import annotations

from pathlib import Path

import pytest

from cpu_codegen.suites.lowcost60 import BLANK
from tests.cli.support import run_cli
from tests.tasks.support import EVALPLUS, HUMANEVAL, write_lines

CASES = "".join(f"    ({list(range(n, -n, -3))}, {n % 5}),\n" for n in range(12))
# what a blank's line says → what a person writes for the line
FILLED = {
    '"""@@ a title': '"""Smallest numbers.\n',
    "topics: @@": "topics: lists\n",
    "# @@ the parameters": "",
    '"""@@ one sentence': '    """Return the `limit` smallest values in ascending order.\n',
    "@@ the contract": "    With fewer values than `limit` all of them; a limit of 0 or less gives an empty list.\n",
    "special case, the order": "",
    "@@ the result": "    [1, 2]\n",
    "raise NotImplementedError": "    kept = []\n    for value in sorted(values):\n        if len(kept) < limit:\n"
    "            kept.append(value)\n    return kept\n",
    "CASES = [": "CASES = [\n" + CASES,
    "return ([rng.randint": "    return ([rng.randint(-n, n) for _ in range(n)], n)\n",
    "SIZES": "SIZES = (200, 2_000, 20_000)\n",
    "GROWTH": 'GROWTH = {"reference": "n log n"}\n',
    "@@ def": '    "def tidy_rows(values, limit): return sorted(values)[:-limit]",\n',
    "@@ another": None,
}


def fill_in(text: str) -> str:
    """The template as a person leaves it."""
    others = iter(("return sorted(values, reverse=True)[:limit]", "return sorted(set(values))[: limit + 1]"))
    lines = []
    for line in text.replace(BLANK, "@@").splitlines(keepends=True):
        key = next((key for key in FILLED if key in line), None)
        new = line if key is None else FILLED[key]
        lines.append(f'    "def tidy_rows(values, limit): {next(others)}",\n' if new is None else new)
    return "".join(lines)


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_a_new_file_passes_once_it_is_filled_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: the command prints the path and the next step; validate names the first blank by line; filled, every promise holds."""
    ran = run_cli(capsys, "problems", "new", "my_tasks/tidy_rows", "--level", "easy")
    assert ran.out == "my_tasks/easy/tidy_rows.py\n"
    assert "problems validate my_tasks" in ran.err
    path = tmp_path / "my_tasks" / "easy" / "tidy_rows.py"
    unfilled = run_cli(capsys, "problems", "validate", "my_tasks")
    assert unfilled.code == 2
    assert "tidy_rows.py:1: 14 blanks to fill in; the first: a title" in unfilled.err
    path.write_text(fill_in(path.read_text(encoding="utf-8")), encoding="utf-8")
    filled = run_cli(capsys, "problems", "validate", "my_tasks")
    assert filled.code == 0, filled.out + filled.err
    assert "9 checks of 1 problem: 8 ok, 0 broken, 1 not checked" in filled.out  # no naive


def test_a_new_file_overwrites_nothing_and_has_a_functions_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Claim: an ID that is there already, no identifier, or a name that the format uses itself exits 2."""
    assert run_cli(capsys, "problems", "new", "tidy").out == "my_tasks/tidy.py\n"
    for name, says in (("tidy", "is there already"), ("a-b", "no problem's name"), ("scaled", "no problem's name")):
        ran = run_cli(capsys, "problems", "new", name)
        assert ran.code == 2
        assert says in ran.err
    assert run_cli(capsys, "problems", "new", "x", "--level", "brutal").code == 2


def test_validate_reads_lines_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Claim: of a JSON line validate proves that its tests run, its reference passes and nothing does not; --keep-going goes on."""
    wrong = {**HUMANEVAL, "task_id": "w", "canonical_solution": "    return 3\n"}
    bare = {k: v for k, v in HUMANEVAL.items() if k != "canonical_solution"} | {"task_id": "b"}
    write_lines(tmp_path / "t.jsonl", HUMANEVAL, EVALPLUS, bare, wrong, "{")
    assert run_cli(capsys, "problems", "validate", "t.jsonl").code == 2
    ran = run_cli(capsys, "problems", "validate", "t.jsonl", "--keep-going")
    assert ran.code == 7
    assert "13 checks of 5 problems: 9 ok, 3 broken, 1 not checked" in ran.out
    assert "t.jsonl:5" in ran.out
    assert "no canonical_solution" in ran.out
