"""`runs list`, `runs rm` and `show` as people meet them: groups, damaged folders, nothing fits, hostile text, narrow windows."""

from __future__ import annotations

import io
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.report.tables import Table, as_text
from cpu_codegen.suites.lowcost60 import load_lowcost60
from tests.cli.support import run_cli
from tests.report.support import write_run

ESCAPE, OVERRIDE = "\x1b[2J", "\u202e"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """./runs with one run of two problems that all passed."""
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "runs" / "20261124T091500-small", limit=2, share=1.0)
    return tmp_path / "runs"


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """`runs list -o json`."""
    found: list[dict[str, Any]] = json.loads(run_cli(capsys, "runs", "list", "-o", "json").out)
    return found


def test_a_group_is_one_row(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its models by name, its answers together, its own status."""
    group = runs / "night"
    for name in ("a", "b"):
        write_run(group / name, name=f"{name}@q4_0", limit=1)
    models = [{"name": name, "folder": name} for name in ("b", "a")]
    (group / "group.json").write_text(json.dumps({"models": models, "status": "partial"}))
    assert {
        "run": "night",
        "model": "group of 2: b@q4_0, a@q4_0",
        "suites": "lowcost60",
        "styles": "plain,cot",
        "generated": "4/4",
        "status": "partial",
    } in rows(capsys)


@pytest.mark.parametrize(("file", "text"), [("manifest.json", '{"x":'), ("group.json", "[]")])
def test_a_damaged_folder_hides_no_other(runs: Path, capsys: pytest.CaptureFixture[str], file: str, text: str) -> None:
    """It has a row, stderr says how to be rid of it, and that works."""
    (runs / "torn").mkdir()
    (runs / "torn" / file).write_text(text)
    listed = run_cli(capsys, "runs", "list")
    assert "small@q4_k_m" in listed.out
    assert "damaged" in listed.out
    assert "cpu-codegen runs rm torn" in listed.err
    assert run_cli(capsys, "runs", "rm", "torn", "--yes").code == 0
    assert len(rows(capsys)) == 1


def test_a_remedy_can_be_pasted_whatever_the_folder_is_called(
    runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Spaces and semicolons are the shell's to split, unless they are quoted."""
    (runs / "20261124T091500-small").rename(runs / "my; run")
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    ran = run_cli(capsys, "runs", "rm", "my; run")
    assert ran.code == 2
    remedy = ran.err.splitlines()[-1].removeprefix("try:   ")
    assert shlex.split(remedy) == ["cpu-codegen", "runs", "rm", "my; run", "--yes"]
    assert run_cli(capsys, *shlex.split(remedy)[1:]).code == 0
    assert not (runs / "my; run").exists()


def test_a_no_deletes_nothing(runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 0: the question was answered."""
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda text: False)
    ran = run_cli(capsys, "runs", "rm", "latest")
    assert (ran.code, ran.out) == (0, "")
    assert "nothing was deleted" in ran.err
    assert len(list(runs.iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "message", "remedy"),
    [
        ("--ids {id}x", "latest has no answer to '{id}x'", "--ids {id}"),
        ("--outcome timeout", "none of 4 samples fits", "cpu-codegen show latest"),
    ],
)
def test_why_no_sample_fits_is_said(
    runs: Path, capsys: pytest.CaptureFixture[str], words: str, message: str, remedy: str
) -> None:
    """Exit 2, with the reason and what to type instead."""
    name = load_lowcost60()[0].id.partition("/")[2]
    ran = run_cli(capsys, "show", "latest", *words.format(id=name).split())
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"error: {message}\ntry:   {remedy}\n".format(id=name)


@pytest.mark.parametrize(("output", "shown"), [("table", ""), ("json", "[\n\n]\n")])
def test_that_nothing_failed_is_no_error(
    runs: Path, capsys: pytest.CaptureFixture[str], output: str, shown: str
) -> None:
    """Exit 0; stderr has the good news, stdout nothing."""
    ran = run_cli(capsys, "show", "latest", "--failed", "-o", output)
    assert (ran.code, ran.out, ran.err) == (0, shown, "none of 4 samples failed\n")


def test_what_is_not_judged_yet_did_not_fail(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An interrupted run's answers are shown as answers, and `--failed` leaves them out."""
    (runs / "20261124T091500-small" / "results.jsonl").unlink()
    shown = run_cli(capsys, "show", "latest").out
    assert "not judged yet" in shown
    assert "no code found" not in shown
    assert run_cli(capsys, "show", "latest", "--failed").out == ""


@pytest.mark.parametrize("output", ["table", "md", "csv", "latex", "html"])
def test_hostile_text_acts_nowhere(tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str) -> None:
    """Escapes and bidirectional overrides in answers, verdicts and details are shown in every format."""

    def change(records: dict[str, dict[str, Any]]) -> None:
        records["generation"]["text"] = f"{ESCAPE}{OVERRIDE}"
        records["result"].update(
            outcome="error",
            detail=f"import:{ESCAPE}{OVERRIDE}",
            message=f"{ESCAPE}[red]x[/red]",
            code=f"x = '{ESCAPE}{OVERRIDE}'",
            failure={"input": ESCAPE, "expected": OVERRIDE, "got": "\x07"},
        )

    folder = write_run(tmp_path / f"ho{OVERRIDE}st", limit=1, change=change)
    shown = run_cli(capsys, "show", str(folder), "--raw", "-o", output).out
    assert not set(shown) & {"\x1b", "\x07", OVERRIDE}
    assert "202e" in shown
    if output == "table":
        assert "[red]x[/red]" in shown  # never parsed as markup


def test_a_wide_table_stands_in_parts() -> None:
    """No line is wider than the window, every part begins with what its rows are of, nothing is left out."""
    columns = ("style", "n", *(f"figure {number}" for number in range(12)))
    table = Table(columns, [("plain", 6, *range(12)), ("cot", 6, *range(12))], right=frozenset(columns[1:]))
    lines = as_text(table, width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert all(line.startswith(("style", "plain", "cot")) for line in lines)
    assert all(any(name in line for line in lines) for name in columns)
    assert len(as_text(table, width=None).splitlines()) == len(as_text(table, width=200).splitlines()) == 3


def test_a_folder_that_is_not_there_is_no_full_disk(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy of a failed write goes by what the system says."""
    ran = run_cli(capsys, "report", "latest", "-o", "html", "--out", "nowhere/page.html")
    assert ran.code == 3
    assert "cannot write nowhere/page.html: No such file or directory" in ran.err
    assert "try:   make the folder in which it shall lie or name another" in ran.err


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
@pytest.mark.parametrize("words", ["show latest", "runs list"])
def test_a_reader_that_goes_away_is_no_error(runs: Path, words: str) -> None:
    """`… | head`: exit 0 and not a word, with rich's output as with ours."""
    ours, theirs = os.pipe()
    os.close(ours)
    with os.fdopen(theirs, "w") as closed:
        command = [sys.executable, "-m", "cpu_codegen", *words.split()]
        done = subprocess.run(command, cwd=runs.parent, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("output", "begins"), [("table", ""), ("md", "- "), ("latex", "% ")])
def test_what_limits_the_figures_goes_with_them(
    runs: Path, capsys: pytest.CaptureFixture[str], output: str, begins: str
) -> None:
    """A table pasted into a paper or an issue still says that its run was interrupted."""
    write_run(runs / "cut", limit=2, change_manifest=lambda manifest: manifest.update(status="interrupted"))
    told = run_cli(capsys, "report", "cut", "-o", output).out
    assert any(line.startswith(f"{begins}the run is interrupted: 4 of 4 answers") for line in told.splitlines())
