"""When a command has to be done."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from cpu_codegen.columns.execute import execute
from cpu_codegen.columns.generate import identity
from cpu_codegen.config import RunConfig, Settings
from cpu_codegen.deadline import Deadline, deadline, seconds_until
from cpu_codegen.errors import UsageError
from cpu_codegen.inputs import prepare
from cpu_codegen.progress import Silent
from cpu_codegen.schema import Limits
from cpu_codegen.session import Session, new_manifest
from cpu_codegen.store import RunFolder

EVENING = datetime(2026, 11, 24, 22, 30, 15)


def test_until_is_the_next_occurrence_of_a_time_of_day() -> None:
    """Tomorrow's 07:30 in the evening, today's 23:00; a minute that has begun is tomorrow's."""
    assert seconds_until("07:30", EVENING) == 9 * 3600 - 15
    assert seconds_until("7:30", EVENING) == 9 * 3600 - 15
    assert seconds_until("23:00", EVENING) == 30 * 60 - 15
    assert seconds_until("22:30", EVENING) == 24 * 3600 - 15


@pytest.mark.parametrize("text", ["", "tomorrow", "25:00", "07:60", "7", "07:30:00", "-1:00", "07:30 pm"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    """Exit 2, with a time that would do."""
    with pytest.raises(UsageError) as refused:
        deadline(None, text)
    assert "--until 07:30" in str(refused.value.remedy)


@pytest.mark.parametrize("hours", [0.0, -1.0, float("nan"), float("inf"), 1e9])
def test_hours_that_are_no_time_are_refused(hours: float) -> None:
    """Nothing begins for zero hours, nor for ever."""
    with pytest.raises(UsageError, match="--max-hours"):
        deadline(hours, None)


def test_the_earlier_of_two_deadlines_holds() -> None:
    """--max-hours and --until may stand together."""
    soon = deadline(0.5, "07:30", now=EVENING)
    late = deadline(24.0, "23:00", now=EVENING)
    assert soon is not None
    assert late is not None
    assert 1790 < soon.left_s() <= 1800
    assert 1775 < late.left_s() <= 1785
    assert deadline(None, None) is None


def test_seconds_that_are_kept_for_later_come_off_the_end() -> None:
    """`less` moves the end, not the beginning; time goes by on the given clock alone."""
    now = 100.0
    ends = Deadline(60.0, lambda: now, 100.0)
    early = ends.less(10.0).less(5.0)
    assert (ends.left_s(), early.left_s()) == (60.0, 45.0)
    now = 150.0
    assert (ends.left_s(), early.left_s()) == (10.0, -5.0)


def test_what_is_judged_when_the_time_is_up_stays_unknown(tmp_path: Path) -> None:
    """A program that would run to its own limit is ended at the deadline: no record, so it stays in n for the next command."""
    inputs = prepare(RunConfig("demo", ids=("ferry_peak", "sign_painter"), offline=True))
    now = [0.0]
    with RunFolder(tmp_path / "run", writable=True) as folder:
        settings = Settings(limits=Limits(wall_s=600, call_s=600, cpu_s=600))
        session = Session(folder, RunConfig("demo", settings=settings, workers=2), new_manifest(inputs))
        session.deadline = Deadline(60.0, lambda: now[0], 0.0)
        for sample, body in zip(inputs.samples, ("return None", "while True: pass"), strict=True):
            text = f"```python\ndef {sample.problem.entry_point}(*_):\n    {body}\n```\n"
            folder.append("generations", {"key": sample.key, **identity(sample), "text": text, "finish_reason": "eos"})
        judged = []
        for record in execute(session, inputs, Silent()):
            judged.append(record["outcome"])
            now[0] = 100.0
        assert judged == ["wrong"]
        assert list(execute(session, inputs, Silent())) == []
