"""A program that was kept waiting for a core gets the time that it missed; one that keeps itself waiting does not."""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import run
from cpu_codegen.sandbox.forkserver import Child
from cpu_codegen.sandbox.run import JobRun, _Seen
from cpu_codegen.schema import AssertTask, Job


@pytest.mark.parametrize(
    ("starved_s", "cpu_s", "expected_s"),
    [
        (6.0, 4.0, 6.0),  # others had the core
        (9.7, 20.0, 0.0),  # threads of its own had two cores all the time
        (9.7, 7.0, 3.0),  # both
        (0.0, 1.0, 0.0),  # it slept
    ],
)
def test_only_time_that_others_took_is_given_back(
    starved_s: float, cpu_s: float, expected_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claim: of ten seconds, waiting counts only as far as the program's own threads did not fill them."""
    job = JobRun(None, Job("j", "", "f", AssertTask("")), b"")  # type: ignore[arg-type]
    job.children = [Child(1, -1, 1), Child(2, -1, 2)]
    job.began_s = 100.0
    monkeypatch.setattr(run, "_seen", lambda pid: _Seen(starved_s, cpu_s, 110.0))
    assert job._newly_starved_s(0) == pytest.approx(expected_s)
    assert job._newly_starved_s(0) == 0.0
