"""One session on a run folder: which folder it takes, what it refuses, what it leaves behind when it fails. No model is loaded."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from cpu_codegen.columns.execute import execute, judge_hash
from cpu_codegen.columns.generate import identity
from cpu_codegen.config import RunConfig, Settings
from cpu_codegen.errors import IntegrityError, Interrupted, UnavailableError
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.progress import Silent
from cpu_codegen.session import Session, choose_folder, open_run

CONFIG = RunConfig("demo", limit=3, offline=True)


@pytest.fixture(scope="module")
def inputs() -> RunInputs:
    """Three problems for the demo model."""
    return prepare(CONFIG)


def begun(path: Path, config: RunConfig, inputs: RunInputs) -> Session:
    """A run folder after its first session was begun."""
    with open_run(replace(config, out=str(path)), inputs, argv=[], progress=Silent()) as session:
        return session


def test_keys_are_those_of_folders_that_exist(inputs: RunInputs) -> None:
    """Model, statements and prompt texts are frozen, so these stay; a change here throws away everybody's hours of answers."""
    assert [(sample.problem.id, sample.key) for sample in inputs.samples[:2]] == [
        ("lowcost60/lone_tents", "df11503feb8c3d70099351649ad96961fd86045e924fb9c0ffffd8c8507e66a5"),
        ("lowcost60/lift_queue", "f1b1dac9a41c31da8b181218897a6daf9665d23f8a379b47050732fe31caeacd"),
    ]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (Settings(comparator="evalplus"), "comparator strict, now evalplus"),
        (Settings(extract="evalplus"), "extract default, now evalplus"),
    ],
)
def test_what_decides_verdicts_is_a_setting_too(
    tmp_path: Path, inputs: RunInputs, settings: Settings, named: str
) -> None:
    """A folder holds the verdicts of one rule: another one is refused by name, and is no reason to go on with that folder."""
    begun(tmp_path, CONFIG, inputs)
    other = replace(CONFIG, settings=settings)
    with pytest.raises(IntegrityError, match=named):
        begun(tmp_path, other, prepare(other))
    begun(tmp_path, CONFIG, inputs)


def test_another_rule_begins_a_folder_of_its_own(
    tmp_path: Path, inputs: RunInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without --out only an unfinished folder with the same rule goes on."""
    monkeypatch.chdir(tmp_path)
    begun(Path("runs/20260101T000000-demo"), CONFIG, inputs)
    assert choose_folder(CONFIG, inputs) == Path("runs/20260101T000000-demo")
    other = replace(CONFIG, settings=Settings(comparator="evalplus"))
    assert choose_folder(other, prepare(other)) != Path("runs/20260101T000000-demo")


@pytest.mark.parametrize("file", ["manifest.json", "prompts.jsonl"])
def test_a_damaged_folder_among_the_runs_stops_no_other_run(
    tmp_path: Path, inputs: RunInputs, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """It is passed over when a folder to go on with is looked for; named by --out it is an error."""
    monkeypatch.chdir(tmp_path)
    begun(Path("runs/20260101T000000-good"), CONFIG, inputs)
    damaged = Path("runs/20260102T000000-damaged")
    begun(damaged, CONFIG, inputs)
    (damaged / file).write_text('{"problem_id":\n')
    assert choose_folder(CONFIG, inputs) == Path("runs/20260101T000000-good")
    with pytest.raises(IntegrityError):
        begun(damaged, CONFIG, inputs)


def test_an_interruption_counts_the_answers_that_were_asked_for(tmp_path: Path, inputs: RunInputs) -> None:
    """A folder may hold more than this command's scope; "5 of 3 answers" would be nonsense."""
    config = replace(CONFIG, out=str(tmp_path))
    with open_run(config, inputs, argv=[], progress=Silent()) as session:
        for key in ["of another scope", "and one more", inputs.samples[0].key]:
            session.folder.append("generations", {"key": key})
        with pytest.raises(Interrupted, match="1 of 3 answers kept"), session.kept(inputs.samples):
            raise KeyboardInterrupt


def test_a_run_that_fails_is_not_left_running(tmp_path: Path, inputs: RunInputs) -> None:
    """A server that is gone, a bug: the error stays what it is, and the manifest says that the run was interrupted."""
    config = replace(CONFIG, out=str(tmp_path))
    with (
        open_run(config, inputs, argv=[], progress=Silent()) as session,
        pytest.raises(UnavailableError, match="gone"),
        session.kept(inputs.samples),
    ):
        raise UnavailableError("gone")
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "interrupted"
    assert manifest["sessions"][0]["ended_utc"]


def test_the_current_verdict_is_the_last_lines_whatever_came_before(tmp_path: Path, inputs: RunInputs) -> None:
    """Cases edited and edited back: the last line judged other cases, so the answer is judged once more, once.

    Where our own machinery failed the same command tries again; where the engine did there is nothing to judge.
    """
    sample, config = inputs.samples[0], replace(CONFIG, out=str(tmp_path))
    answer = {"key": sample.key, **identity(sample), "text": "", "finish_reason": "prompt_too_long"}
    with open_run(config, inputs, argv=[], progress=Silent()) as session:
        judge = judge_hash(config.settings, session.manifest["versions"])
        verdict = {"key": "v", "generation": sample.key, "judge_hash": judge, "data_hash": sample.problem.data_hash}
        session.folder.append("generations", answer)
        session.folder.append("results", verdict)
        assert list(execute(session, inputs, Silent())) == []
        session.folder.append("results", {**verdict, "data_hash": "of other cases"})
        (now,) = execute(session, inputs, Silent())
        assert now["data_hash"] == sample.problem.data_hash
        session.folder.append("results", now)
        assert list(execute(session, inputs, Silent())) == []
        session.folder.append("results", {**now, "outcome": "harness_error", "detail": "worker"})
        assert [again["outcome"] for again in execute(session, inputs, Silent())] == ["no_code"]
        session.folder.append("results", {**now, "outcome": "harness_error", "detail": "engine_error"})
        assert list(execute(session, inputs, Silent())) == []
