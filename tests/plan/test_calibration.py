"""What a machine's calibration keeps: types one by one, and of several measurements the one that nobody disturbed."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cpu_codegen.busy import Busy, Company
from cpu_codegen.machine import Machine
from cpu_codegen.plan import calibration as module
from cpu_codegen.plan.calibration import Calibration, TypeCost, load, measure, save
from cpu_codegen.plan.company import plausible
from cpu_codegen.progress import Silent

MACHINE = Machine(id="x", logical_cores_usable=2)


def test_calibration_is_kept(calibrated: Calibration, tmp_path: Path) -> None:
    """What was measured is read back the same; damage is as good as nothing."""
    path = tmp_path / "c.json"
    save(path, calibrated)
    assert load(path) == calibrated
    path.write_text(path.read_text()[:50])
    assert load(path) is None


def test_cost_between_batches() -> None:
    """Straight lines between measured batches, in proportion beyond."""
    cost = TypeCost({1: 1.0, 4: 4.0, 16: 10.0})
    assert [cost.at(n) for n in (1, 2, 10, 32)] == [1.0, 2.0, 7.0, 20.0]


def test_only_missing_types_are_measured(calibrated: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second question about other types measures those only, and keeps the rest."""
    asked: list[list[str]] = []

    def measure(kinds: list[str], **_: object) -> Calibration:
        asked.append(kinds)
        return replace(calibrated, types={kind: calibrated.types[kind] for kind in kinds})

    monkeypatch.setattr(module, "measure", measure)
    for wanted in (["q4_k"], ["q4_k"], ["q8_0", "q4_k"]):
        found = module.calibration(MACHINE, wanted, progress=Silent())
    assert asked == [["q4_k"], ["q8_0"]]
    assert found is not None
    assert set(found.types) == {"q4_k", "q8_0"}


def cache_of(found: Calibration, monkeypatch: pytest.MonkeyPatch, *, used: float) -> list[list[str]]:
    """Stores a calibration of a machine of whose two cores others use so many now; gives back what is measured later."""
    save(module.cache_file(MACHINE, 2), found)
    asked: list[list[str]] = []

    def measure(kinds: list[str], **_: object) -> Calibration:
        asked.append(kinds)
        fast = {n: seconds / 2 for n, seconds in found.types["q8_0"].seconds.items()}
        return Calibration(2, {"q8_0": TypeCost(fast)}, layer_s=1.0, busy_cores=used, taken_unix=time.time())

    monkeypatch.setattr(module, "measure", measure)
    monkeypatch.setattr(module, "watch", lambda: Busy(used, 2))
    return asked


def ask(*, again: bool = False) -> Calibration:
    """For the usual type on that machine."""
    found = module.calibration(MACHINE, ["q8_0"], progress=Silent(), again=again)
    assert found is not None
    return found


@pytest.mark.parametrize(("age_s", "used", "measures"), [(3600, 0.1, True), (3600, 2.0, False), (60, 0.1, False)])
def test_a_crowded_calibration_is_repeated_once_it_is_quiet(
    calibrated: Calibration, monkeypatch: pytest.MonkeyPatch, *, age_s: float, used: float, measures: bool
) -> None:
    """By itself, all its types, not twice in ten minutes and not while the machine is still crowded."""
    crowded = replace(calibrated, busy_cores=1.5, taken_unix=time.time() - age_s)
    asked = cache_of(crowded, monkeypatch, used=used)
    found = ask()
    assert bool(asked) == measures
    assert found.is_crowded != measures
    if measures:
        assert set(asked[0]) == set(crowded.types)
        assert found.types["q8_0"].seconds[1] == crowded.types["q8_0"].seconds[1] / 2
        assert found.types["q4_k"] == crowded.types["q4_k"]
        assert (found.layer_s, found.attention_s) == (crowded.layer_s, crowded.attention_s)
        assert load(module.cache_file(MACHINE, 2)) == found


def test_recalibrating_in_company_takes_nothing_back(calibrated: Calibration, monkeypatch: pytest.MonkeyPatch) -> None:
    """--recalibrate replaces what was known when the machine is quiet; in company the fastest of both is kept."""
    slow = {n: 4 * seconds for n, seconds in calibrated.types["q8_0"].seconds.items()}
    fast = replace(calibrated, types={"q8_0": TypeCost({n: s / 16 for n, s in slow.items()})})
    cache_of(fast, monkeypatch, used=2.0)
    monkeypatch.setattr(
        module, "measure", lambda *a, **k: Calibration(2, {"q8_0": TypeCost(slow)}, 1.0, busy_cores=2.0)
    )
    assert ask(again=True).types["q8_0"].seconds == fast.types["q8_0"].seconds
    monkeypatch.setattr(module, "measure", lambda *a, **k: Calibration(2, {"q8_0": TypeCost(slow)}, 1.0))
    assert ask(again=True).types["q8_0"].seconds == slow


def test_what_did_not_come_in_time_is_not_tried_at_once_again(
    calibrated: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow machine times some types in 20 s: the next question borrows for the others, and a later one tries them."""
    asked: list[list[str]] = []

    def measure(kinds: list[str], **_: object) -> Calibration:
        asked.append(kinds)
        return replace(calibrated, types={kind: calibrated.types[kind] for kind in kinds if kind == "q4_k"})

    monkeypatch.setattr(module, "measure", measure)
    for _ in range(2):
        found = module.calibration(MACHINE, ["q4_k", "q2_k"], progress=Silent())
        assert found is not None
        assert set(found.types) == {"q4_k"}
    assert asked == [["q4_k", "q2_k"]]
    save(module.cache_file(MACHINE, 2), replace(found, tried_unix={"q2_k": time.time() - 3600}))
    module.calibration(MACHINE, ["q4_k", "q2_k"], progress=Silent())
    assert asked[1:] == [["q2_k"]]


def test_what_cannot_be_true_is_brought_down(calibrated: Calibration) -> None:
    """One token dearer than eight, q8_0 at ten times the others: in company that is bounded, from a quiet machine it stays."""
    odd = {"q8_0": TypeCost({1: 9.0, 8: 10.0, 128: 99.0}), "q5_k": TypeCost({1: 4.0, 8: 3.0, 128: 8.0}),
           "q6_k": TypeCost({1: 1.0, 8: 2.0, 128: 9.0})}  # fmt: skip
    told = plausible(replace(calibrated, types=odd, busy_cores=1.0)).types
    assert told["q5_k"].seconds == {1: 3.0, 8: 3.0, 128: 8.0}
    assert told["q8_0"].seconds[1] == pytest.approx(3 * 8.5 / 6.5625)
    assert told["q8_0"].seconds[128] == pytest.approx(3 * 8.0 * 8.5 / 5.5)
    assert told["q6_k"].seconds == odd["q6_k"].seconds
    quiet = replace(calibrated, types=odd)
    assert plausible(quiet) is quiet


@pytest.mark.parametrize(("others", "seconds"), [(0.1, 2.0), (1.5, 1.0)])
def test_in_company_the_fastest_repeat_counts(monkeypatch: pytest.MonkeyPatch, others: float, seconds: float) -> None:
    """The median of a quiet machine's repeats, the fastest of those that other programs disturbed; half a line is no result."""
    line = {"type": "q8_0", "seconds": {"1": 2.0}, "fastest": {"1": 1.0}, "spread": 0.5, "repacked": False}
    program = f'print({json.dumps(line)!r}); print(\'{{"type": "q4_k", "sec\', end=\'\')'
    started = subprocess.Popen

    def worker(_: list[str], **options: Any) -> Any:
        return started([sys.executable, "-c", program], **options)

    class Others(Company):
        def cores(self) -> float:
            return others

    monkeypatch.setattr(module.subprocess, "Popen", worker)
    monkeypatch.setattr(module, "Company", Others)
    found = measure(["q8_0", "q4_k"], threads=1)
    assert found is not None
    assert {kind: cost.seconds for kind, cost in found.types.items()} == {"q8_0": {1: seconds}}
    assert found.busy_cores == others


def test_a_worker_that_is_killed_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its budget over in the middle of a model of 100 MB: the folder goes with it, what it told until then counts."""
    line = json.dumps({"layer_s": 0.5})
    program = (
        "import pathlib, sys, time; pathlib.Path(sys.argv[1], 'half').write_bytes(b'0')\n"
        f"print({line!r}, flush=True); time.sleep(60)"
    )
    started, folders = subprocess.Popen, []

    def worker(command: list[str], **options: Any) -> Any:
        folders.append(Path(command[3]))
        return started([sys.executable, "-c", program, command[3]], **options)

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(module.subprocess, "Popen", worker)
    found = measure(["q8_0"], threads=1, budget_s=1.0)
    assert found is not None
    assert found.layer_s == 0.5
    assert folders[0].parent == tmp_path
    assert not list(tmp_path.iterdir())
