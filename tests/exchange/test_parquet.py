"""`export --as parquet`: typed columns where pyarrow is installed, and a way to get it where it is not."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.exchange.parquet import COLUMNS, write_parquet
from cpu_codegen.report.summary import summarize
from tests.cli.support import run_cli
from tests.report.support import write_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Six problems in two styles; one answer with what UTF-8 cannot hold."""

    def broken(records: dict[str, Any]) -> None:
        records["generation"]["text"] += "\ud800"

    return write_run(tmp_path / "run", limit=6, change=broken)


def test_every_sample_is_a_row_and_every_column_has_its_type(run: Path, tmp_path: Path) -> None:
    """Counts are whole numbers, seconds are floats, absent values are null, and the code is the one that ran."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed (extra [parquet])")
    path = write_parquet(summarize(run).samples, tmp_path / "run.parquet")
    table = parquet.read_table(path)
    assert tuple(table.column_names) == COLUMNS
    types = {name: str(table.schema.field(name).type) for name in ("problem_id", "tests_total", "cost_s", "format_ok")}
    assert types == {"problem_id": "string", "tests_total": "int64", "cost_s": "double", "format_ok": "bool"}
    rows = table.to_pylist()
    assert [row["code"] for row in rows] == [sample["code"] for sample in summarize(run).samples]
    assert all(row["energy_j"] is None and row["text"].endswith("\\ud800") for row in rows)
    assert sorted(path.parent.glob(".*.tmp")) == []


def test_without_pyarrow_the_error_says_what_to_type(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 3, and no file."""
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = run_cli(capsys, "export", str(run), "--as", "parquet", "--out", str(tmp_path / "x.parquet"))
    assert ran.code == 3
    assert "pip install 'cpu-codegen[parquet]'" in ran.err
    assert not (tmp_path / "x.parquet").exists()
