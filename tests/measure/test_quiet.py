"""What counts as company on the core."""

from __future__ import annotations

import os

import pytest

from cpu_codegen.measure import quiet
from cpu_codegen.measure.quiet import Company, quiet_core
from cpu_codegen.sandbox import Measured


def window(cpu_s: float, wall_s: float, switches: int = 0) -> Measured:
    """A window of a call."""
    return Measured(cpu_s, wall_s, switches, 0.0)


def test_a_quiet_window() -> None:
    """The tick's own switches and a round trip of the channel are no company."""
    assert not Company().disturbed(window(0.1, 0.102, 3))


def test_company_shows_in_switches_or_in_waiting() -> None:
    """Many switches, or far more wall than CPU time, are company."""
    assert Company().disturbed(window(0.1, 0.102, 40))
    assert Company().disturbed(window(0.05, 0.1))


def test_a_clock_that_changes_its_speed() -> None:
    """A tenth more or less is a drift; an unknown clock is none."""
    assert Company.drifted(2_000_000, 2_400_000)
    assert not Company.drifted(2_000_000, 2_050_000)
    assert not Company.drifted(None, 2_400_000)


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="no affinity here")
def test_the_core_is_one_of_ours() -> None:
    """Only cores that we may use are chosen."""
    assert quiet_core(0.01) in os.sched_getaffinity(0)


def test_the_idlest_core_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the ticks that passed without work; of equals the highest."""
    readings = iter([{0: (0, 0), 1: (0, 0), 2: (0, 0)}, {0: (9, 10), 1: (2, 10), 2: (2, 10)}])
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2}, raising=False)
    monkeypatch.setattr(quiet, "read_ticks", lambda stat: next(readings))
    assert quiet_core(0.0) == 2
