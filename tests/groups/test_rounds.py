"""Rounds of equal blocks, on a clock of our own: who answers what until when, what the race sees, what a resume does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen import pipeline
from cpu_codegen.campaign import Member
from cpu_codegen.campaign_blocks import block, reached, scores_of
from cpu_codegen.campaign_rounds import Rounds, run_rounds
from cpu_codegen.columns.in_time import time_for_answers
from cpu_codegen.config import Campaign, RunConfig, Settings
from cpu_codegen.deadline import Deadline
from cpu_codegen.group import Group, is_group, new_record, read_group
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.progress import Progress, Silent
from cpu_codegen.session import Session
from cpu_codegen.store import RunFolder

LOAD_S = 5.0


class Killed(Exception):
    """Stands in for a kill -9: nothing is written after it."""


class World:
    """Models that take `speed[name]` seconds a problem and pass the share `skill[name]`; the only clock there is."""

    def __init__(self, speed: dict[str, float], skill: dict[str, float]) -> None:
        self.speed, self.skill = speed, skill
        self.now_s = 0.0
        self.asked: list[tuple[str, int, int]] = []
        self.measured: list[str] = []

    def answer(self, session: Session, inputs: RunInputs, progress: Progress) -> None:
        """What pipeline.answer does, in no time: begins samples while the time allows, judges them all."""
        name = session.folder.path.name
        within = time_for_answers(session) if session.deadline is not None else None
        done = {record["key"] for record in session.folder.read("generations")}
        left = [sample for sample in inputs.samples if sample.key not in done]
        before = len(done)
        if left:
            self.now_s += LOAD_S
            session.note(load_s=LOAD_S, width=1)
        for sample in left:
            if within is not None and within.left_s() < self.speed[name]:
                break
            self.now_s += self.speed[name]
            place = int(sample.problem.data_hash[:8], 16) / 2**32
            outcome = "passed" if place < self.skill[name] else "wrong"
            fields = {"problem_id": sample.problem.id, "suite": sample.problem.suite, "cost_s": self.speed[name]}
            session.folder.append(
                "generations", {"key": sample.key, "decode_s": 1.0, "completion_tokens": 100, **fields}
            )
            session.folder.append(
                "results", {"key": sample.key, "generation": sample.key, "outcome": outcome, **fields}
            )
            done.add(sample.key)
        self.asked.append((name, before, len(done)))

    def gauge(self, session: Session, inputs: RunInputs, progress: Progress) -> None:
        """Measuring takes what is left."""
        self.measured.append(session.folder.path.name)


@pytest.fixture(scope="module")
def inputs() -> RunInputs:
    """The 60 problems in their order, for the demo model."""
    return prepare(RunConfig("demo", offline=True))


def _play(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    inputs: RunInputs,
    world: World,
    *,
    ends_s: float | None = None,
    **options: Any,
) -> Group:
    """One command over the world's models."""
    campaign = Campaign(tuple(world.speed), RunConfig("x", settings=Settings(max_tokens=100)), **options)
    monkeypatch.setattr(pipeline, "answer", world.answer)
    monkeypatch.setattr(pipeline, "gauge", world.gauge)
    monkeypatch.setattr("cpu_codegen.campaign_rounds.time.monotonic", lambda: world.now_s)
    group_path = tmp_path / "group"
    group_path.mkdir(exist_ok=True)
    group = Group(group_path, read_group(group_path) if is_group(group_path) else new_record(campaign))
    members = []
    for name in world.speed:
        entry = group.entry(name, name, "11")
        members.append(Member(replace(campaign.run, model=name, out=str(group_path / name)), inputs, entry))
    ends = None if ends_s is None else Deadline(ends_s, lambda: world.now_s, world.now_s)
    run_rounds(group, members, campaign, progress=Silent(), argv=[], ends=ends, page=lambda path: None)
    return group


def _ns(group: Group) -> list[int]:
    return [done["n"] for done in group.record["rounds"]]


def test_blocks_at_most_double_and_all_finish_a_round_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """With time for all: 6, 12, 24, 48, 60; every model answers the same block in its turn; efficiency comes last."""
    world = World({"a": 1.0, "b": 2.0, "c": 3.0}, dict.fromkeys("abc", 0.5))
    group = _play(tmp_path, monkeypatch, inputs, world, ends_s=10_000)
    assert _ns(group) == [6, 12, 24, 48, 60]
    assert [name for name, _, _ in world.asked] == ["a", "b", "c"] * 5
    assert [after for _, _, after in world.asked] == [n for n in (6, 12, 24, 48, 60) for _ in range(3)]
    assert world.measured == ["a", "b", "c"]
    assert {entry["status"] for entry in group.record["models"]} == {"finished"}


def test_a_deadline_ends_with_equal_blocks_for_models_of_unequal_speed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """600 seconds for 1, 4 and 9 seconds a problem: in time, the same problems for all, and most of the time used."""
    world = World({"a": 1.0, "b": 4.0, "c": 9.0}, dict.fromkeys("abc", 0.5))
    group = _play(tmp_path, monkeypatch, inputs, world, ends_s=600)
    answered = {name: after for name, _, after in world.asked}
    assert len(set(answered.values())) == 1, answered
    assert _ns(group)[-1] == answered["a"]
    assert all(later <= 2 * earlier for earlier, later in zip(_ns(group), _ns(group)[1:], strict=False))
    assert 400 < world.now_s <= 600
    assert {entry["status"] for entry in group.record["models"]} == {"partial"}


def test_one_that_turns_out_too_slow_makes_the_block_smaller_for_those_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """In the first round nobody's speed is known: the slow one first stops early, and the others get its block."""
    world = World({"slow": 40.0, "quick": 1.0}, dict.fromkeys(("slow", "quick"), 0.5))
    group = _play(tmp_path, monkeypatch, inputs, world, ends_s=300)
    (slow, quick), reached_by_slow = world.asked[:2], world.asked[0][2]
    assert (slow[0], quick[0]) == ("slow", "quick")
    assert 0 < reached_by_slow == quick[2] < 6
    assert _ns(group)[0] == reached_by_slow
    assert world.now_s <= 300


def test_no_time_for_anything_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs) -> None:
    """Nothing is answered, every run is partial, nothing hangs."""
    world = World({"a": 50.0, "b": 50.0}, dict.fromkeys("ab", 0.5))
    group = _play(tmp_path, monkeypatch, inputs, world, ends_s=20)
    assert _ns(group) == []
    assert {entry["status"] for entry in group.record["models"]} == {"partial"}


def test_the_race_stops_the_hopeless_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """One that solves nothing stops at a block's end, with its evidence in the log; the others answer everything."""
    world = World({"good": 1.0, "fair": 1.0, "none": 2.0}, {"good": 0.9, "fair": 0.85, "none": 0.0})
    group = _play(tmp_path, monkeypatch, inputs, world, race=True)
    (stop,) = group.record["race"]["stops"]
    assert stop["model"] == "none"
    assert stop["evidence"] >= stop["threshold"] == 40.0
    assert stop["n"] in _ns(group)
    status = {entry["name"]: entry["status"] for entry in group.record["models"]}
    assert status == {"good": "finished", "fair": "finished", "none": "stopped"}
    assert world.measured == ["good", "fair"]
    assert {name: after for name, _, after in world.asked} == {"good": 60, "fair": 60, "none": stop["n"]}


def test_a_screen_is_the_first_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs) -> None:
    """Nobody stops before N problems, however clear it is; then the first block has N."""
    world = World({"good": 1.0, "none": 2.0}, {"good": 1.0, "none": 0.0})
    group = _play(tmp_path, monkeypatch, inputs, world, race=True, screen=30)
    assert _ns(group)[0] == 30
    assert [stop["n"] for stop in group.record["race"]["stops"]] == [30]


def test_the_same_command_goes_on_after_a_kill_and_stopped_models_stay_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """Killed inside the second model's third block: no sample twice, the log goes on, the race's stop holds."""

    class Mortal(World):
        def answer(self, session: Session, inputs: RunInputs, progress: Progress) -> None:
            if len(self.asked) == 4:
                part = replace(inputs, samples=inputs.samples[:9])
                super().answer(session, part, progress)
                raise Killed
            super().answer(session, inputs, progress)

    speed, skill = {"good": 1.0, "none": 2.0, "fair": 1.0}, {"good": 0.9, "none": 0.0, "fair": 0.85}
    with pytest.raises(Killed):
        _play(tmp_path, monkeypatch, inputs, Mortal(speed, skill), race=True)
    first = _keys(tmp_path)
    group = _play(tmp_path, monkeypatch, inputs, World(speed, skill), race=True)
    second = _keys(tmp_path)
    assert all(len(keys) == len(set(keys)) for keys in second.values())
    assert all(second[name][: len(keys)] == keys for name, keys in first.items())
    assert len(second["good"]) == len(second["fair"]) == 60
    stopped = len(second["none"])
    again = World(speed, skill)
    _play(tmp_path, monkeypatch, inputs, again, race=True)
    assert all(before == after for _, before, after in again.asked)
    assert len(_keys(tmp_path)["none"]) == stopped < 60
    assert [look["look"] for look in group.record["race"]["looks"]] == list(
        range(1, len(group.record["race"]["looks"]) + 1)
    )


def test_a_kill_changes_no_block_and_no_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inputs: RunInputs
) -> None:
    """Killed within a block, or after its last answer and before it is noted: blocks and looks of an undisturbed run."""
    speed, skill = {"good": 1.0, "fair": 1.0}, {"good": 0.9, "fair": 0.85}

    class Dying(World):
        fatal = 5

        def answer(self, session: Session, inputs: RunInputs, progress: Progress) -> None:
            if len(self.asked) == self.fatal:
                super().answer(session, replace(inputs, samples=inputs.samples[:15]), progress)
                raise Killed
            super().answer(session, inputs, progress)

    (tmp_path / "whole").mkdir()
    whole = _play(tmp_path / "whole", monkeypatch, inputs, World(speed, skill), race=True)
    with pytest.raises(Killed):
        _play(tmp_path, monkeypatch, inputs, Dying(speed, skill), race=True)
    with monkeypatch.context() as patch:
        patch.setattr(Rounds, "_close_round", _killed)
        with pytest.raises(Killed):
            _play(tmp_path, monkeypatch, inputs, World(speed, skill), race=True)
    group = _play(tmp_path, monkeypatch, inputs, World(speed, skill), race=True)
    assert _ns(group) == _ns(whole) == [6, 12, 24, 48, 60]
    assert group.record["race"]["looks"] == whole.record["race"]["looks"]


def _killed(rounds: Rounds, n: int) -> None:
    raise Killed


def _keys(tmp_path: Path) -> dict[str, list[str]]:
    folders = [path.parent for path in (tmp_path / "group").glob("*/manifest.json")]
    return {path.name: [r["key"] for r in RunFolder(path).read("generations")] for path in folders}


def test_a_block_is_a_prefix_of_each_suite_and_counts_only_when_judged(tmp_path: Path, inputs: RunInputs) -> None:
    """The first n problems in the run's order; a problem with one sample unjudged is not reached."""
    part = block(inputs, 6)
    assert [p.id for p in part.problems] == inputs.order["lowcost60"][:6]
    assert {sample.problem.id for sample in part.samples} == {p.id for p in part.problems}
    levels = [p.level for p in part.problems]
    assert {levels.count(level) for level in ("easy", "medium", "hard")} == {2}
    with RunFolder(tmp_path / "r", writable=True) as folder:
        session = Session(folder, RunConfig("x"), {"sessions": []})
        for sample in [*inputs.samples[:4], *inputs.samples[5:8]]:
            folder.append("results", {"key": sample.key, "generation": sample.key, "outcome": "passed"})
        assert reached(session, inputs, 60) == 4
        assert len(scores_of(session, inputs)["lowcost60"]) == 7


def test_harness_errors_are_no_scores_of_a_race(tmp_path: Path, inputs: RunInputs) -> None:
    """A fault of ours counts neither for nor against a model: such a problem is not there."""
    outcomes = ["passed", "harness_error", "wrong"]
    with RunFolder(tmp_path / "r", writable=True) as folder:
        session = Session(folder, RunConfig("x"), {"sessions": []})
        for sample, outcome in zip(inputs.samples, outcomes, strict=False):
            folder.append("results", {"key": sample.key, "generation": sample.key, "outcome": outcome})
        found = scores_of(session, inputs)
    first, _, third = (sample.problem.id for sample in inputs.samples[:3])
    assert found == {"lowcost60": {first: 1.0, third: 0.0}}
