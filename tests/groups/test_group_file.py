"""group.json: names of run folders, what is refused, what a command goes on with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.config import Campaign, RunConfig, Settings
from cpu_codegen.errors import IntegrityError, StoreBusyError
from cpu_codegen.group import (
    Group,
    choose_group,
    members,
    new_record,
    open_group,
    other_settings,
    read_group,
    refuse_group,
    run_folders,
)
from cpu_codegen.store import RunFolder

TWO = Campaign(("a", "b"), RunConfig("a"))


def _run_folder(path: Path) -> None:
    with RunFolder(path, writable=True) as folder:
        folder.write_manifest({"status": "finished"})


def test_a_model_keeps_its_folder_and_a_clash_gets_a_number(tmp_path: Path) -> None:
    """Two names of one file are two folders; the same name is the same folder; a stray folder is not taken over."""
    (tmp_path / "c").mkdir()
    group = Group(tmp_path, new_record(TWO))
    assert group.entry("a", "model-q4", "11")["folder"] == "model-q4"
    assert group.entry("b", "model-q4", "11")["folder"] == "model-q4-2"
    assert group.entry("./c.gguf", "c", "22")["folder"] == "c-2"
    assert group.entry("a", "another", "11")["folder"] == "model-q4"


def test_a_run_folder_is_no_group_and_refuses_a_second_model(tmp_path: Path) -> None:
    """Exit 6, nothing written."""
    _run_folder(tmp_path / "one")
    with pytest.raises(IntegrityError, match="holds no second model"):
        refuse_group(tmp_path / "one", TWO)
    assert not (tmp_path / "one" / "group.json").exists()


def test_other_settings_are_refused_by_name_and_absent_ones_are_defaults(tmp_path: Path) -> None:
    """An old group does not know a new setting: it has the default. Session options may differ."""
    with open_group(tmp_path, TWO, argv=[]) as group:
        del group.record["settings"]["loop_stop"]
        group.save(status="partial")
    refuse_group(tmp_path, replace(TWO, max_hours=3.0, race=True))
    longer = replace(TWO, run=RunConfig("a", settings=Settings(max_tokens=77)))
    with pytest.raises(IntegrityError, match="max_tokens 1024, now 77"):
        refuse_group(tmp_path, longer)
    assert other_settings(read_group(tmp_path), Settings(loop_stop=False)) == ["loop_stop True, now False"]


def test_two_commands_do_not_share_a_group(tmp_path: Path) -> None:
    """The second one is refused while the first one works."""
    with open_group(tmp_path, TWO, argv=[]), pytest.raises(StoreBusyError), open_group(tmp_path, TWO, argv=[]):
        pass


def test_a_command_goes_on_with_the_newest_unfinished_group_of_its_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a model more; not with other models, other settings, a finished one, or with --new."""
    monkeypatch.chdir(tmp_path)
    for name, status in (("runs/1-old", "partial"), ("runs/2-newer", "interrupted"), ("runs/3-done", "finished")):
        with open_group(Path(name), TWO, argv=[]) as group:
            for model in TWO.models:
                group.entry(model, model, "11")
            group.save(status=status)
    newer = Path("runs/2-newer")
    assert choose_group(TWO, "a-and-1-more") == newer
    assert choose_group(replace(TWO, models=("a", "b", "c")), "x") == newer
    assert choose_group(replace(TWO, models=("a", "c")), "x").name.endswith("-x")
    assert choose_group(replace(TWO, run=RunConfig("a", new=True)), "x").name.endswith("-x")
    assert choose_group(replace(TWO, run=RunConfig("a", settings=Settings(seed=5))), "x").name.endswith("-x")
    assert choose_group(replace(TWO, run=RunConfig("a", out="elsewhere")), "x") == Path("elsewhere")


def test_the_record_is_replaced_as_a_whole_and_damage_is_named(tmp_path: Path) -> None:
    """Every save is one rename; a file that is no record is an integrity error with its path."""
    with open_group(tmp_path, TWO, argv=["run"]) as group:
        assert group.record["config"]["models"] == ["a", "b"]
        group.save(status="finished")
    assert json.loads((tmp_path / "group.json").read_text())["status"] == "finished"
    assert not list(tmp_path.glob(".group.json*"))
    (tmp_path / "group.json").write_text('{"models": 3}')
    with pytest.raises(IntegrityError, match=r"group\.json"):
        read_group(tmp_path)


def test_runs_of_a_group_come_in_the_order_of_its_models(tmp_path: Path) -> None:
    """As they were named; folders that the record does not know come last."""
    with open_group(tmp_path / "g", replace(TWO, models=("z", "a")), argv=[]) as group:
        for model in ("z", "a", "later"):
            group.entry(model, model, "11")
        group.save()
    for name in ("a", "z", "stray"):
        _run_folder(tmp_path / "g" / name)
    assert [path.name for path in members(tmp_path / "g")] == ["z", "a", "stray"]
    _run_folder(tmp_path / "single")
    assert [path.name for path in run_folders(tmp_path)] == ["z", "a", "stray", "single"]


@pytest.mark.parametrize("text", ['{"models": 3}', '{"models": [{}]}', "{"])
def test_a_damaged_group_stops_no_other_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """It is not gone on with; its runs are still found, as those of a folder; only who names it is told."""
    monkeypatch.chdir(tmp_path)
    damaged = tmp_path / "runs" / "20261124T0915-damaged"
    _run_folder(damaged / "kept")
    (damaged / "group.json").write_text(text)
    assert choose_group(TWO, "new").name.endswith("-new")
    assert [path.name for path in run_folders(Path("runs"))] == ["kept"]
    assert [path.name for path in run_folders(damaged)] == ["kept"]
