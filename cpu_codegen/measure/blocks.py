"""Candidate and reference side by side: a ratio with an interval that noise alone does not move off 1.

One block = a fresh process for each program, the same warm-up, then windows in the order A B B A. Two processes of one and the
same program differ by a few per cent for as long as they live (where their memory happens to lie), so windows of one pair of
processes are not independent, blocks are: the estimate is Hodges–Lehmann's over blocks, and its interval is distribution-free.

A program that keeps results between calls is compared by the first calls of fresh processes, one pair a block, no warm-up.
The interval is looked at after few fixed numbers of blocks only, stops by its width and never by what it says, and is taken at
97 % to be good for 95 %. Not covered: which rung is worth measuring (program.py).
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cpu_codegen.measure.timing import Pass, Timer, costs_more
from cpu_codegen.measure.workload import Rung
from cpu_codegen.schema import Ratio
from cpu_codegen.stats import Estimate, hodges_lehmann, median

CONFIDENCE = 0.97  # nominal; published as 95 %, so that looking several times costs nothing
MIN_BLOCKS = 7  # the fewest that have an interval at that confidence
LOOKS = (7, 10, 14, 20, 28, 40)
TIGHT = 0.03  # half the interval of the ratio, as a share
_CLEAR = math.log(1.5)  # beyond this a tenth is tight enough
_TIGHT_WHEN_CLEAR = 0.1
_EXTRA_PAIRS = 2
_PATIENCE = 3
_ALIKE = 4
_LEAST_BUDGET_S = 0.2
_PAIRS = 2
_SURE = 2  # blocks whose first window costs far more than the next: the program keeps results


@dataclass(slots=True)
class Blocks:
    """What the blocks of one comparison gave; logarithms of candidate over reference."""

    log_cpu: list[float] = field(default_factory=list)
    log_wall: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    reference_cpu_s: list[float] = field(default_factory=list)
    wall_s: list[float] = field(default_factory=list)
    reference_wall_s: list[float] = field(default_factory=list)
    lower_cpu_s: list[float] = field(default_factory=list)
    reference_lower_cpu_s: list[float] = field(default_factory=list)
    outside_cpu_s: list[float] = field(default_factory=list)
    reference_outside_cpu_s: list[float] = field(default_factory=list)
    retired_instructions: list[float] = field(default_factory=list)
    reference_retired_instructions: list[float] = field(default_factory=list)
    disturbed: int = 0
    first_calls: bool = False
    remembering: int = 0

    def __len__(self) -> int:
        return len(self.log_cpu)

    @property
    def cpu_ratio(self) -> Ratio:
        """Candidate / reference of CPU time."""
        return ratio_of(self.log_cpu)

    @property
    def wall_ratio(self) -> Ratio:
        """Candidate / reference of wall time."""
        return ratio_of(self.log_wall)

    @property
    def mostly_disturbed(self) -> bool:
        """Did more than half of the blocks have company?"""
        return 2 * self.disturbed > len(self)


def estimate(logs: Sequence[float]) -> Estimate:
    """Location of logarithms with the interval that this module promises."""
    return hodges_lehmann(logs, confidence=CONFIDENCE)


def ratio_of(logs: Sequence[float]) -> Ratio:
    """The same as a ratio."""
    found = estimate(logs)
    high = math.exp(found.high) if found.high < math.inf else math.inf
    return Ratio(math.exp(found.value), math.exp(found.low), high, found.n)


def is_tight(logs: Sequence[float]) -> bool:
    """Would more blocks tell more that matters?"""
    found = estimate(logs)
    half = (found.high - found.low) / 2
    return half <= TIGHT or (half <= _TIGHT_WHEN_CLEAR and min(abs(found.low), abs(found.high)) >= _CLEAR)


def compare(
    candidate: Timer, reference: Timer, rungs: Sequence[Rung], *, budget_s: float, max_blocks: int = LOOKS[-1]
) -> Blocks:
    """Blocks on the last of `rungs` until the interval is tight or the budget is spent.

    MIN_BLOCKS are taken even beyond the budget, up to some times of it: on a machine that others keep busy there may be fewer.
    The rung below it is timed once per block, for growth. Raises SessionFailed when a program fails.
    """
    blocks = Blocks(first_calls=rungs[-1].number in candidate.remembering)
    pair = _prepared(blocks, candidate, reference, rungs)
    started = time.monotonic()
    while len(blocks) < max_blocks:
        _one_block(blocks, *pair, rungs)
        if not blocks.first_calls and len(blocks) == blocks.remembering == _SURE:
            blocks = Blocks(first_calls=True)
            pair = _prepared(blocks, candidate, reference, rungs)
            continue
        if len(blocks) in LOOKS and is_tight(blocks.log_cpu):
            break
        spent = time.monotonic() - started
        if len(blocks) >= MIN_BLOCKS and spent * (len(blocks) + 1) / len(blocks) > budget_s:
            break
        if spent > _PATIENCE * max(budget_s, _LEAST_BUDGET_S):
            break
    return blocks


def _prepared(blocks: Blocks, candidate: Timer, reference: Timer, rungs: Sequence[Rung]) -> tuple[Timer, Timer]:
    if blocks.first_calls:
        return candidate.of_first_calls(), reference.of_first_calls()
    return alike(candidate, reference, rungs)


def alike(candidate: Timer, reference: Timer, rungs: Sequence[Rung]) -> tuple[Timer, Timer]:
    """Both with the same passes per window, so that what a window itself costs weighs alike on either side.

    Where one needs over four times the passes of the other, the ratio is so far from 1 that this does not matter.
    """
    mine, theirs = dict(candidate.passes), dict(reference.passes)
    for rung in rungs:
        pair = mine.get(rung.number, 1), theirs.get(rung.number, 1)
        if max(pair) <= _ALIKE * min(pair):
            mine[rung.number] = theirs[rung.number] = max(pair)
    return replace(candidate, passes=mine), replace(reference, passes=theirs)


def _one_block(blocks: Blocks, candidate: Timer, reference: Timer, rungs: Sequence[Rung]) -> None:
    """Who is opened and called first alternates, so that being first cannot favour either."""
    swap = len(blocks) % 2 == 1
    first, second = (reference, candidate) if swap else (candidate, reference)
    top, lower = rungs[-1], rungs[-2] if len(rungs) > 1 and not blocks.first_calls else None
    wanted = 1 if blocks.first_calls else _PAIRS
    with first.open() as one, second.open() as two:
        warm = [] if blocks.first_calls else [first.time(one, lower or top), second.time(two, lower or top)]
        ones: list[Pass] = []
        twos: list[Pass] = []
        clean = 0
        company = candidate.company
        for pair in range(1 if blocks.first_calls else _PAIRS + _EXTRA_PAIRS):
            before_khz = company.frequency()
            if pair % 2:
                twos.append(second.time(two, top))
                ones.append(first.time(one, top))
            else:
                ones.append(first.time(one, top))
                twos.append(second.time(two, top))
            drifted = company.drifted(before_khz, company.frequency())
            clean += not (drifted or ones[-1].disturbed or twos[-1].disturbed)
            if clean == wanted:
                break
    if swap:
        warm.reverse()
    mine, theirs = (twos, ones) if swap else (ones, twos)
    _book(blocks, mine, theirs, warm if lower else None)
    blocks.disturbed += clean < wanted
    blocks.remembering += len(mine) > 1 and costs_more(mine[0], mine[1])


def _book(blocks: Blocks, mine: list[Pass], theirs: list[Pass], lower: list[Pass] | None) -> None:
    """Ratios pair by pair: the two windows of a pair lie next to each other in time."""
    pairs = list(zip(mine, theirs, strict=True))
    blocks.log_cpu.append(median([math.log(a.cpu_s / b.cpu_s) for a, b in pairs]))
    blocks.log_wall.append(median([math.log(a.wall_s / b.wall_s) for a, b in pairs]))
    blocks.cpu_s.append(median([a.cpu_s for a in mine]))
    blocks.reference_cpu_s.append(median([b.cpu_s for b in theirs]))
    blocks.wall_s.append(median([a.wall_s for a in mine]))
    blocks.reference_wall_s.append(median([b.wall_s for b in theirs]))
    blocks.outside_cpu_s.append(median([a.outside_cpu_s for a in mine]))
    blocks.reference_outside_cpu_s.append(median([b.outside_cpu_s for b in theirs]))
    _book_instructions(blocks, mine, theirs)
    if lower is not None:
        blocks.lower_cpu_s.append(lower[0].cpu_s)
        blocks.reference_lower_cpu_s.append(lower[1].cpu_s)


def _book_instructions(blocks: Blocks, mine: list[Pass], theirs: list[Pass]) -> None:
    """Where the kernel lets us count them, in every window."""
    own = [a.instructions for a in mine if a.instructions]
    reference = [b.instructions for b in theirs if b.instructions]
    if len(own) == len(mine) and len(reference) == len(theirs):
        blocks.retired_instructions.append(median(own))
        blocks.reference_retired_instructions.append(median(reference))
