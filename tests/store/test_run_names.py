"""A new run gets a folder of its own, however many begin in one second."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cpu_codegen import run_names


def test_two_runs_of_one_second_do_not_share_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second is numbered 2, the third 3."""
    monkeypatch.setattr(run_names, "utc_stamp", lambda: "20261124T091500")
    made = []
    for _ in range(3):
        made.append(run_names.new_run_path("demo", root=tmp_path))
        made[-1].mkdir()
    stem = "20261124T091500-demo"
    assert [path.name for path in made] == [stem, f"{stem}-2", f"{stem}-3"]


def test_the_latest_run_is_the_one_that_was_made_last(tmp_path: Path) -> None:
    """A folder that --out named has its place by its record's time, whatever its first letter is."""
    for name, day in (("runs-of-old", 1), ("20260103T120000-demo", 3), ("board", 5), ("20260104T120000-demo", 4)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").write_text("{}")
        noon_s = datetime(2026, 1, day, 12, tzinfo=UTC).timestamp()
        os.utime(tmp_path / name / "manifest.json", (noon_s, noon_s))
    os.utime(
        tmp_path / "20260103T120000-demo" / "manifest.json", (2e9, 2e9)
    )  # gone on with: it stays as old as its name
    order = [path.name for path in run_names.list_runs(tmp_path)]
    assert order == ["runs-of-old", "20260103T120000-demo", "20260104T120000-demo", "board"]
    assert run_names.find_run("latest", root=tmp_path).name == "board"
