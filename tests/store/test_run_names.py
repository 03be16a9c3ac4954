"""A new run gets a folder of its own, however many begin in one second."""

from __future__ import annotations

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
