"""Busy cores: read from the kernel's counters, and what is said of threads that would wait."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cpu_codegen import busy
from cpu_codegen.busy import Busy, compare, read_ticks, waiting, watch
from cpu_codegen.doctor import hardware
from cpu_codegen.doctor.sections import Context
from cpu_codegen.machine import Machine

BEFORE = "cpu  0 0 0 0\ncpu0 100 0 0 900 0 0 0 0 0 0\ncpu1 50 0 50 900 0 0 0 0 0 0\nintr 1\n"
AFTER = "cpu  0 0 0 0\ncpu0 120 0 0 900 0 0 0 0 0 0\ncpu1 50 0 55 910 5 0 0 0 0 0\nintr 1\n"


def test_shares_are_of_the_cores_that_we_may_use(tmp_path: Path) -> None:
    """A core at work all the time counts 1, one that worked a quarter of it 0.25; waiting for a disk is no work."""
    (tmp_path / "before").write_text(BEFORE)
    (tmp_path / "after").write_text(AFTER)
    before, after = read_ticks(tmp_path / "before"), read_ticks(tmp_path / "after")
    both = compare(before, after, {0, 1})
    assert both is not None
    assert both.used == pytest.approx(1.25)
    assert both.cores == 2
    second = compare(before, after, {1})
    assert second is not None
    assert second.used == pytest.approx(0.25)
    assert second.cores == 1
    assert compare({}, {}, {0}) is None
    assert read_ticks(tmp_path / "absent") == {}


def test_company_is_what_others_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two cores at work for ten seconds, twelve seconds were ours and our children's: others had 0.8 cores on average."""
    clock, own, ticks = iter([100.0, 110.0]), iter([50.0, 62.0]), iter([0, 1000])

    def at_work(_: Path) -> dict[int, tuple[int, int]]:
        now = next(ticks)
        return {0: (now, now), 1: (now, now)}

    monkeypatch.setattr(busy, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(busy, "_own_seconds", lambda: next(own))
    monkeypatch.setattr(busy, "read_ticks", at_work)
    monkeypatch.setattr(
        busy, "os", SimpleNamespace(sched_getaffinity=lambda _: {0, 1}, getloadavg=lambda: (0.0, 0.0, 0.0))
    )
    assert busy.Company().cores() == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("used", "cores", "threads", "fit"),
    [(0.1, 2, 2, None), (1.0, 2, 2, 1), (2.0, 2, 2, 1), (1.0, 8, 4, None), (5.5, 8, 4, 2)],
)
def test_a_warning_where_threads_would_wait(used: float, cores: int, threads: int, fit: int | None) -> None:
    """It says how many fit and what to type; a machine with cores to spare, or one thread, gets none."""
    warning = Busy(used, cores).warning(threads)
    assert warning is None if fit is None else warning is not None and warning.endswith(f"try -t {fit}")
    assert Busy(used, cores).warning(1) is None


def test_this_machine_tells() -> None:
    """Linux does; the sum lies between none and all cores."""
    found = watch(0.05)
    assert found is not None or not sys.platform.startswith("linux")
    if found is not None:
        assert 0 <= found.used <= found.cores


def test_doctor_shows_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and a warning with what to type where threads would wait."""
    machine = Machine(physical_cores_usable=2, logical_cores_usable=2)
    monkeypatch.setattr(hardware, "watch", lambda: Busy(1.1, 2, 1.4))
    section = hardware.load(Context(machine))
    assert section.lines == ("1.1 of 2 usable cores busy, load average 1.40",)
    assert section.warnings[0].remedy.startswith("-t 1")
    monkeypatch.setattr(hardware, "watch", lambda: None)
    assert hardware.load(Context(machine)).lines == ("unknown",)


def test_threads_sleep_only_where_cores_are_crowded() -> None:
    """Spinning stays on quiet cores and where the user has chosen; else OpenMP is told before it is loaded."""
    assert Busy(1.0, 2).crowds(2)
    assert not Busy(1.0, 2).crowds(1)
    assert not Busy(0.2, 2).crowds(2)
    assert waiting({}, asleep=True) == {"OMP_WAIT_POLICY": "passive"}
    assert waiting({}, asleep=False) == {}
    assert waiting({"GOMP_SPINCOUNT": "1000"}, asleep=True) == {}
