"""A group wherever a RUN is asked for: `efficiency` over all of its runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from cpu_codegen.errors import UsageError
from cpu_codegen.suites.lowcost60 import load_lowcost60
from tests.report.support import write_run


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Two runs of six problems each."""
    for name in ("one", "two"):
        write_run(tmp_path / "night" / name, name=f"{name}@q4_0", limit=6, styles=("plain",), share=1.0)
    (tmp_path / "night" / "group.json").write_text(json.dumps({"models": [{"folder": "one"}, {"folder": "two"}]}))
    return tmp_path / "night"


def shown(path: Path, *options: str) -> str:
    """`efficiency` without measuring anything: of a problem that was not answered."""
    other = load_lowcost60()[-1].id
    result = CliRunner().invoke(app, ["efficiency", str(path), "--ids", other, *options], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_efficiency_of_a_group_is_one_list_and_one_table_each(group: Path) -> None:
    """Every record and row says its run; a run alone reads as it always did."""
    records = json.loads(shown(group, "-o", "json"))
    assert [record["run"] for record in records] == ["one", "two"]
    alone = json.loads(shown(group / "one", "-o", "json"))
    assert alone == [{name: value for name, value in records[0].items() if name != "run"}]
    tables = shown(group, "-o", "md")
    assert tables.count("**Against the reference") == 1
    assert [line.split("|")[1].strip() for line in tables.splitlines()[4:6]] == ["one", "two"]


def test_a_problem_that_there_is_not_is_refused(group: Path) -> None:
    """Exit 2 with the nearest name, not a table from which it is silently absent."""
    known = load_lowcost60()[0].id
    run = CliRunner().invoke(app, ["efficiency", str(group), "--ids", f"{known}x"])
    assert isinstance(run.exception, UsageError)
    assert known in (run.exception.remedy or "")
