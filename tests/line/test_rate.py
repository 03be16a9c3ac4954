"""What is told beside the bar while answers are generated."""

from __future__ import annotations

import pytest

from cpu_codegen.columns.rate import Rate, clock_time
from cpu_codegen.engine.protocol import Pulse
from cpu_codegen.schema import FinishReason, Generation


class Clock:
    """Stands still until it is set."""

    now_s = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s


def answer(tokens: int) -> Generation:
    """A complete sample."""
    return Generation("k", "", FinishReason.EOS, completion_tokens=tokens, peak_rss_bytes=61_000_000)


def test_the_rate_moves_inside_one_long_answer() -> None:
    """Twenty tokens a second are told before the first answer ends; no ETA is made up yet."""
    clock = Clock()
    rate = Rate(4, clock)
    clock.now_s += 2
    rate.feel(Pulse(open=1, open_tokens=40, peak_rss_bytes=5_400_000_000))
    assert rate.note() == "20 tok/s  5,400 MB"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A model that becomes slower says so; the mean over all is for the end."""
    clock = Clock()
    rate = Rate(2, clock)
    written = 0
    for second in range(1, 41):
        clock.now_s += 1
        written += 40 if second <= 20 else 4
        rate.feel(Pulse(open=2, open_tokens=written))
    assert rate.note() == "4.0 tok/s"
    assert rate.whole() == "22 tok/s"


def test_reading_a_long_prompt_is_told_in_tokens_read() -> None:
    """Before the first token of an answer a rate of 0 would say that nothing happens."""
    clock = Clock()
    rate = Rate(1, clock)
    clock.now_s += 5
    rate.feel(Pulse(open=1, prompt_tokens=1536, peak_rss_bytes=61_000_000))
    assert rate.note() == "prompts 1,536 tok  61 MB"


def test_the_eta_counts_what_is_under_way_as_half_done() -> None:
    """10 of 20 done at 50 tokens each, 4 under way: 8 answers' worth is left, at 100 tokens/s 4 s."""
    clock = Clock()
    rate = Rate(20, clock)
    clock.now_s += 6
    for _ in range(10):
        rate.add(answer(50))
    rate.feel(Pulse(open=4, open_tokens=100))
    assert rate.note().endswith("ETA 0:04")


def test_the_first_to_end_is_no_measure_of_the_others() -> None:
    """One short answer ends while 9 others are already longer: they count, too, or the ETA were a tenth of the truth."""
    clock = Clock()
    rate = Rate(10, clock)
    clock.now_s += 10
    rate.add(answer(10))
    rate.feel(Pulse(open=9, open_tokens=990))
    assert rate.note().endswith("ETA 0:04")  # 4.5 answers of 100 tokens at 100 tokens/s


def test_a_crash_of_the_engine_makes_no_negative_rate() -> None:
    """What was in flight is lost and counted down; the window begins anew."""
    clock = Clock()
    rate = Rate(4, clock)
    clock.now_s += 2
    rate.feel(Pulse(open=2, open_tokens=200))
    clock.now_s += 2
    rate.feel(Pulse(open=1, open_tokens=0))
    clock.now_s += 2
    rate.feel(Pulse(open=1, open_tokens=20))
    assert rate.note() == "10 tok/s"


@pytest.mark.parametrize(("seconds", "told"), [(10.6, "0:11"), (725, "12:05"), (3725, "1:02:05")])
def test_times_are_told_as_on_a_clock(seconds: float, told: str) -> None:
    """Hours only where there are some."""
    assert clock_time(seconds) == told
