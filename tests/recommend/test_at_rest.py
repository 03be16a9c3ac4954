"""What is named does not depend on what happens to be open: beside the name for now stands that for the machine at rest."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest

from cpu_codegen.busy import Busy
from cpu_codegen.cli.recommend import write_names
from cpu_codegen.machine import Machine, default_threads, fingerprint
from cpu_codegen.plan import calibration as module
from cpu_codegen.plan.calibration import Calibration, TypeCost, cache_file, save
from cpu_codegen.plan.estimate import weight
from cpu_codegen.plan.question import Question
from cpu_codegen.plan.rest import is_crowded, ram_at_rest_bytes
from cpu_codegen.progress import Silent
from cpu_codegen.recommend.recommend import Recommendation, recommend
from cpu_codegen.recommend.records import as_record

GB = 10**9
QUIET, BUSY = Busy(used=0.0, cores=2), Busy(used=1.8, cores=2)


def on_a_machine(monkeypatch: pytest.MonkeyPatch, known: Calibration, *, free: float, busy: Busy = QUIET) -> None:
    """8 GB, so much of it free, so many cores at work; timed before."""
    machine = replace(fingerprint(), ram_total_bytes=8 * GB, ram_available_bytes=round(free * GB))
    for place in ("recommend.recommend", "plan.survey"):
        monkeypatch.setattr(f"cpu_codegen.{place}.fingerprint", lambda: machine)
    for place in ("recommend.recommend", "plan.calibration"):
        monkeypatch.setattr(f"cpu_codegen.{place}.watch", lambda: busy)
    save(cache_file(machine, default_threads(machine)), known)


def asked(question: Question | None = None) -> Recommendation:
    """The recommendation."""
    return recommend(question or Question(offline=True), progress=Silent())


def slower(known: Calibration, times: float) -> Calibration:
    """As it would have been measured beside other programs."""
    types = {
        kind: TypeCost({n: seconds * times for n, seconds in cost.seconds.items()}, cost.spread, cost.repacked)
        for kind, cost in known.types.items()
    }
    return replace(known, types=types, busy_cores=1.5)


def names(found: Recommendation) -> str:
    """What people read first."""
    stream = io.StringIO()
    write_names(found, stream)
    return stream.getvalue()


def test_memory_that_other_programs_hold(monkeypatch: pytest.MonkeyPatch, calibrated: Calibration) -> None:
    """With 1.5 of 8 GB free the first name is small, and the one for 7 GB stands below, with what to do."""
    on_a_machine(monkeypatch, calibrated, free=1.5)
    found = asked()
    assert found.at_rest is not None
    assert weight(found.at_rest.candidate.plan) > weight(found.choices[0].candidate.plan)
    assert found.at_rest.candidate.plan.verdict == "fits"
    name = found.at_rest.candidate.name
    assert f"\nwith nothing else running (≈ 7.00 GB free): {name}: " in names(found)
    assert "Close other programs, then ask again." in names(found)
    assert as_record(found)["at_rest"]["model"] == name
    assert as_record(found)["at_rest"]["ram_bytes"] == 7 * GB
    on_a_machine(monkeypatch, calibrated, free=7)
    assert asked().choices[0].candidate.name == name


def test_a_machine_at_rest(monkeypatch: pytest.MonkeyPatch, calibrated: Calibration) -> None:
    """Nothing to add where little is open, and for another machine nothing is known of what is open there."""
    on_a_machine(monkeypatch, calibrated, free=6.5)
    assert asked().at_rest is None
    assert "nothing else" not in names(asked())
    assert as_record(asked())["at_rest"] is None
    on_a_machine(monkeypatch, calibrated, free=1.5)
    assert asked(Question(offline=True, as_if="ram=1.5G")).at_rest is None


def test_cores_that_other_programs_held(monkeypatch: pytest.MonkeyPatch, calibrated: Calibration) -> None:
    """What reads slow by a calibration in company, and may not be, is named for the machine at rest, never first."""
    on_a_machine(monkeypatch, slower(calibrated, 6.0), free=7, busy=BUSY)
    monkeypatch.setattr(module, "measure", lambda *_, **__: pytest.fail("timed on busy cores"))
    found = asked()
    assert found.at_rest is not None
    assert found.at_rest.candidate.plan.slow_in_company
    assert all((one.candidate.plan.speed or 0) >= 5 for one in found.choices)
    assert weight(found.at_rest.candidate.plan) > max(weight(one.candidate.plan) for one in found.choices)


def test_cores_that_are_free_again(monkeypatch: pytest.MonkeyPatch, calibrated: Calibration) -> None:
    """Then the machine is timed anew, and the names are those of a quiet one."""
    on_a_machine(monkeypatch, calibrated, free=7)
    expected = [choice.candidate.name for choice in asked().choices]
    on_a_machine(monkeypatch, slower(calibrated, 6.0), free=7)
    monkeypatch.setattr(module, "measure", lambda *_, **__: calibrated)
    found = asked()
    assert [choice.candidate.name for choice in found.choices] == expected
    assert found.at_rest is None


def test_the_systems_own_part() -> None:
    """A fifth of a board with 1 GB, a gigabyte of a laptop; unknown stays unknown."""
    assert ram_at_rest_bytes(Machine(ram_total_bytes=GB)) == 0.8 * GB
    assert ram_at_rest_bytes(Machine(ram_total_bytes=32 * GB)) == 31 * GB
    assert ram_at_rest_bytes(Machine()) is None
    assert not is_crowded(Machine(ram_total_bytes=8 * GB))
    assert is_crowded(Machine(ram_total_bytes=8 * GB, ram_available_bytes=5 * GB))
