"""A program that was kept waiting for a core gets the time that it missed; one that keeps itself waiting does not."""

from __future__ import annotations

import pytest

from cpu_codegen.sandbox import run
from cpu_codegen.sandbox.crew import checker_bytes
from cpu_codegen.sandbox.forkserver import Child
from cpu_codegen.sandbox.frames import ChannelTimeout
from cpu_codegen.sandbox.run import JobRun, _Seen
from cpu_codegen.schema import AssertTask, Job, Limits


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


class Silent:
    """A checker's channel: silent at first, then its verdict."""

    def __init__(self, silences: int) -> None:
        self.silences = silences

    def receive(self, deadline: float) -> list[object]:
        """The next message."""
        if self.silences:
            self.silences -= 1
            raise ChannelTimeout
        return ["verdict", {}]


def test_a_checker_that_was_kept_waiting_gets_its_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Claim: a verdict that is late because others held the cores is waited for; one that is late for another reason is not."""
    job = JobRun(None, Job("j", "", "f", AssertTask("")), b"")  # type: ignore[arg-type]
    waited = [2.0, 0.5, 0.0]
    monkeypatch.setattr(job, "_newly_starved_s", lambda index: waited.pop(0))
    assert job._after_news(Silent(2), 0.0) == ["verdict", {}]  # type: ignore[arg-type]
    with pytest.raises(ChannelTimeout):
        job._after_news(Silent(1), 0.0)  # type: ignore[arg-type]


def test_the_checker_has_no_more_memory_than_its_candidate() -> None:
    """Claim: but for a gigabyte where that has less, and four at most: no program fills the machine by its answers."""
    found = [checker_bytes(Limits(memory_bytes=size << 20)) >> 20 for size in (64, 1024, 2048, 4096, 8192)]
    assert found == [1024, 1024, 2048, 4096, 4096]
