"""Admission under a deadline: who begins can end, and nobody is let in after the first who could not."""

from __future__ import annotations

from cpu_codegen.engine.events import Meters, Started
from cpu_codegen.engine.lane import Job
from cpu_codegen.engine.pace import MARGIN, Pace
from cpu_codegen.engine.scheduler import Scheduler
from cpu_codegen.schema import Generation, Request
from tests.engine.fake import FakeBackend

STEP_S = 0.01


class _Clock:
    """Every step of the backend takes STEP_S."""

    def __init__(self) -> None:
        self.now_s = 0.0


class _Slow(FakeBackend):
    def __init__(self, clock: _Clock, answer: str) -> None:
        super().__init__(lambda prompt: answer)
        self._clock = clock

    def decode(self, *batch: object) -> None:
        """One step later."""
        super().decode(*batch)  # type: ignore[arg-type]
        self._clock.now_s += STEP_S


def _job(number: int, limit: int) -> Job:
    prompt = f"{number}\x01"
    return Job(
        Request(str(number), prompt, False, seed=0, max_tokens=limit, early_stop=False), list(map(ord, prompt)), limit
    )


def _run(
    *, jobs: int, limit: int, answer: str, ends_s: float, each_s: float = 0.0
) -> tuple[list[str], list[str], float]:
    """Keys begun, keys answered, and when the last one was there."""
    clock = _Clock()
    pace = Pace(ends_s, STEP_S, each_s=each_s)
    scheduler = Scheduler(
        _Slow(clock, answer), width=2, cells=10_000, meters=Meters(clock=lambda: clock.now_s), pace=pace
    )
    scheduler.submit([_job(number, limit) for number in range(jobs)])
    begun, done = [], []
    while not scheduler.is_done:
        for event in scheduler.step():
            if isinstance(event, Started):
                begun.append(event.key)
            if isinstance(event, Generation):
                done.append(event.key)
    return begun, done, clock.now_s


def test_everything_that_began_ends_in_time_although_it_takes_its_whole_limit() -> None:
    """Answers of full length: 50 tokens of 10 ms, two at a time, in 3 seconds."""
    begun, done, took_s = _run(jobs=100, limit=50, answer="x" * 60, ends_s=3.0)
    assert sorted(begun) == sorted(done)
    assert begun == [str(number) for number in range(len(begun))], "the order of the run"
    assert 6 <= len(begun) < 100
    assert took_s <= 3.0


def test_short_answers_do_not_let_late_ones_in() -> None:
    """Answers of 5 tokens with a limit of 50: nobody begins less than a whole answer before the end."""
    begun, done, took_s = _run(jobs=1000, limit=50, answer="x" * 5, ends_s=3.0)
    assert begun
    assert sorted(begun) == sorted(done)
    assert took_s <= 3.0 - MARGIN * 50 * STEP_S + 10 * STEP_S


def test_nobody_begins_when_the_first_one_could_not_end() -> None:
    """A limit that does not fit at all."""
    begun, done, took_s = _run(jobs=5, limit=500, answer="x", ends_s=3.0)
    assert (begun, done, took_s) == ([], [], 0.0)


def test_the_time_to_judge_an_answer_is_kept_when_it_begins() -> None:
    """With half a second each, fewer begin; without a deadline all do."""
    few, _, _ = _run(jobs=100, limit=50, answer="x" * 50, ends_s=3.0, each_s=0.5)
    more, _, _ = _run(jobs=100, limit=50, answer="x" * 50, ends_s=3.0)
    assert 0 < len(few) < len(more)


def test_the_speed_follows_the_steps() -> None:
    """A machine that becomes slower is believed within some twenty steps; prompts are timed apart."""
    pace = Pace(100.0, 0.01)
    for _ in range(60):
        pace.saw(0.1, decoding=2, prompt_tokens=0)
    assert 0.09 < pace.step_s < 0.101
    pace.saw(1.0, decoding=0, prompt_tokens=100)
    assert pace.token_s == 0.01
