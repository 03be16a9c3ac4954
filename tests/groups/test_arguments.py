"""A group wherever a RUN is asked for: `efficiency` over all of its runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cpu_codegen.cli import app
from tests.report.support import write_run


@pytest.fixture
def group(tmp_path: Path) -> Path:
    """Two runs of six problems each."""
    for name in ("one", "two"):
        write_run(tmp_path / "night" / name, name=f"{name}@q4_0", limit=6, styles=("plain",), share=1.0)
    (tmp_path / "night" / "group.json").write_text(json.dumps({"models": [{"folder": "one"}, {"folder": "two"}]}))
    return tmp_path / "night"


def shown(path: Path, *options: str) -> str:
    """`efficiency` without measuring anything: no problem is called nothing."""
    result = CliRunner().invoke(app, ["efficiency", str(path), "--ids", "nothing", *options], catch_exceptions=False)
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
