"""The comparison of two programs, fed with simulated clocks: noise is not reported, differences are."""

from __future__ import annotations

import random
from collections.abc import Callable
from types import TracebackType
from typing import Any

import pytest

from cpu_codegen.measure.blocks import LOOKS, MIN_BLOCKS, Blocks, alike, compare, is_tight
from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.timing import Timer
from cpu_codegen.measure.workload import Rung
from cpu_codegen.sandbox import Measured

TOP = Rung(1, 1000, [[0]], 10)
LOWER = Rung(0, 100, [[0]], 10)
RUNGS = (LOWER, TOP)


class SimulatedProcess:
    """A process whose calls take `cpu_s`, give or take noise of its own life and of each call."""

    def __init__(self, cpu_s: float, rng: random.Random, *, switches: int = 0) -> None:
        self.cpu_s = cpu_s * rng.lognormvariate(0, 0.03)
        self.rng, self.switches = rng, switches

    def __enter__(self) -> SimulatedProcess:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        pass

    def call(self, batch: Any, *, repeats: int = 1, fetch: bool = False, memory: bool = False) -> Measured:
        """Contaminated upwards now and then, as on a machine with neighbours."""
        noise = self.rng.lognormvariate(0, 0.04) * (1.3 if self.rng.random() < 0.05 else 1.0)
        cpu_s = self.cpu_s * noise * repeats
        return Measured(cpu_s, cpu_s + 1e-4, self.switches, 0.0)


def timer(cpu_s: float, rng: random.Random, *, switches: int = 0) -> Timer:
    """A timer of simulated processes."""
    open_process: Callable[[], Any] = lambda: SimulatedProcess(cpu_s, rng, switches=switches)  # noqa: E731
    return Timer(open_process, Company(None), {0: 1, 1: 1})


def test_noise_is_not_a_finding() -> None:
    """Of 400 comparisons of a program with itself at most 5 % (and what 400 draws allow) call it different from itself."""
    rng = random.Random(3)
    ratios = [compare(timer(0.01, rng), timer(0.01, rng), RUNGS, budget_s=60).cpu_ratio for _ in range(400)]
    assert sum(ratio.verdict != "no difference" for ratio in ratios) <= 0.05 * 400 + 2 * (400 * 0.05 * 0.95) ** 0.5


def test_a_clock_that_stands_still_is_no_crash() -> None:
    """Coarse clocks, and programs that do nothing: the ratio is as odd as the times, and there is one."""
    rng = random.Random(9)
    found = compare(timer(0.0, rng), timer(0.01, rng), RUNGS, budget_s=60, max_blocks=MIN_BLOCKS).cpu_ratio
    assert 0 < found.value < 1e-6


def test_a_fifth_slower_is_found() -> None:
    """A 1.2 times slower program is found slower in at least 9 of 10 comparisons, and its ratio is not far off."""
    rng = random.Random(4)
    ratios = [compare(timer(0.012, rng), timer(0.01, rng), RUNGS, budget_s=60).cpu_ratio for _ in range(60)]
    assert sum(ratio.verdict == "slower" for ratio in ratios) >= 54
    assert 1.17 < sorted(ratio.value for ratio in ratios)[30] < 1.23


def test_exchange_inverts() -> None:
    """Candidate and reference exchanged give the inverse ratio within its interval."""
    rng = random.Random(5)
    one = compare(timer(0.02, rng), timer(0.01, rng), RUNGS, budget_s=60).cpu_ratio
    other = compare(timer(0.01, rng), timer(0.02, rng), RUNGS, budget_s=60).cpu_ratio
    assert one.low <= 1 / other.value <= one.high or other.low <= 1 / one.value <= other.high


def test_looks_are_few_and_fixed() -> None:
    """It stops at a planned look when the interval is tight, never in between, and never before an interval exists."""
    rng = random.Random(6)
    found = compare(timer(0.01, rng), timer(0.01, rng), RUNGS, budget_s=60)
    assert len(found) in LOOKS
    assert min(LOOKS) == MIN_BLOCKS
    assert len(found) == LOOKS[-1] or is_tight(found.log_cpu)


def test_budget_leaves_an_interval() -> None:
    """A budget that is used up at once still gets the blocks that an interval takes, and no more."""
    rng = random.Random(7)
    found = compare(timer(0.01, rng), timer(0.013, rng), RUNGS, budget_s=0)
    assert len(found) == MIN_BLOCKS
    assert found.cpu_ratio.high < 10


def test_company_is_noticed() -> None:
    """Windows with many involuntary switches are taken again, and a comparison made of them says so."""
    rng = random.Random(8)
    found = compare(timer(0.01, rng, switches=50), timer(0.01, rng), RUNGS, budget_s=0)
    assert found.mostly_disturbed
    assert not compare(timer(0.01, rng), timer(0.01, rng), RUNGS, budget_s=0).mostly_disturbed


def test_lower_rung_is_timed_once_a_block() -> None:
    """Each block gives one time of the smaller size for either program, and none where there is only one size."""
    rng = random.Random(9)
    found = compare(timer(0.01, rng), timer(0.01, rng), RUNGS, budget_s=0)
    assert len(found.lower_cpu_s) == len(found.reference_lower_cpu_s) == len(found)
    assert compare(timer(0.01, rng), timer(0.01, rng), [TOP], budget_s=0).lower_cpu_s == []


def test_who_goes_first_alternates_and_times_keep_their_owner() -> None:
    """Being opened first favours neither; a program's times are its own whichever came first."""
    rng = random.Random(11)
    opened: list[str] = []

    def of(name: str, cpu_s: float) -> Timer:
        def open_process() -> Any:
            opened.append(name)
            return SimulatedProcess(cpu_s, rng)

        return Timer(open_process, Company(None), {0: 1, 1: 1})

    found = compare(of("slow", 0.02), of("fast", 0.01), RUNGS, budget_s=0)
    assert opened == ["slow", "fast", "fast", "slow"] * (len(found) // 2) + ["slow", "fast"] * (len(found) % 2)
    pairs = [(found.cpu_s, found.reference_cpu_s), (found.lower_cpu_s, found.reference_lower_cpu_s)]
    assert all(slow > fast for slows, fasts in pairs for slow, fast in zip(slows, fasts, strict=True))


def test_windows_are_alike() -> None:
    """Both programs get the same passes per window, unless they are so far apart that it does not matter."""
    rng = random.Random(10)
    one, two = timer(0.01, rng), timer(0.01, rng)
    one.passes, two.passes = {0: 3, 1: 1}, {0: 2, 1: 20}
    mine, theirs = alike(one, two, RUNGS)
    assert (mine.passes, theirs.passes) == ({0: 3, 1: 1}, {0: 3, 1: 20})
    assert two.passes == {0: 2, 1: 20}


def test_too_few_blocks_have_no_interval() -> None:
    """Six blocks bound nothing at this confidence."""
    blocks = Blocks(log_cpu=[0.1] * (MIN_BLOCKS - 1))
    assert blocks.cpu_ratio.low == 0
    assert blocks.cpu_ratio.high == float("inf")
    assert Blocks(log_cpu=[0.1] * MIN_BLOCKS).cpu_ratio.low == pytest.approx(1.105, abs=0.001)
