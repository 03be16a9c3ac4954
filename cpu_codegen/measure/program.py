"""All that is measured of one program, within its share of the time: the measured fields of one line of efficiency.jsonl.

    scout     one call per size, smallest first: how far does it come, is it still right there, what may a block cost? (scout.py)
    blocks    on the largest size that leaves room for enough blocks (blocks.py)
    memory    at the largest two sizes, in processes of their own (memory.py)

A program that runs into the limit is a censored value ("at least so much slower"), never a dropped one. Statuses: measured,
below_floor, censored, disturbed, not_measured. Not covered: what is read off the text (static.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.measure.blocks import MIN_BLOCKS, Blocks, compare
from cpu_codegen.measure.growth import Growth, memory_growth, time_growth
from cpu_codegen.measure.memory import Peak, peak_of
from cpu_codegen.measure.quiet import Company
from cpu_codegen.measure.scout import Reference, Trial, call_limit, climb, opener, scout_naive
from cpu_codegen.measure.timing import WINDOW_S, Timer
from cpu_codegen.measure.workload import FLOOR_S, Rung
from cpu_codegen.sandbox import Sandbox, SessionFailed
from cpu_codegen.schema import Outcome, Ratio
from cpu_codegen.stats import median
from cpu_codegen.store import plain

FIRST_CALL_S = 1e-3  # a first call stands alone in its window, whose own cost must not weigh
KEEPS = "it keeps results between calls"
TOO_LITTLE = "too little time"
_TIMING_SHARE = 0.75  # of what scouting left; the rest is for memory
_OUTSIDE_FACTOR, _OUTSIDE_S = 5.0, 0.02
_SESSION_S = 0.025  # two processes opened and closed
_CENSORING = (Outcome.TIMEOUT, Outcome.MEMORY)  # but not of wall time: waiting bounds no CPU time


def measure_program(
    sandbox: Sandbox, reference: Reference, code: str, entry_point: str, *, company: Company, budget_s: float
) -> dict[str, Any]:
    """The measured fields of a record. Never raises for a fault of the program's."""
    ends = time.monotonic() + budget_s
    limit_s = call_limit(reference.trials[-1].cpu_s, budget_s)
    timer = Timer(opener(sandbox, code, entry_point, company, limit_s), company)
    rungs = reference.workload.rungs
    trials, failure = climb(timer, rungs)
    wrong = _first_wrong(reference, trials)
    if wrong is not None:
        return not_measured(f"wrong at {_size_words(rungs[wrong])}, beyond the tests")
    if failure is not None and (failure.outcome not in _CENSORING or failure.detail == "wall"):
        return not_measured(f"{failure.outcome} at {_size_words(rungs[len(trials)])}: {failure.detail}")
    if reference.trials[-1].cpu_s < FLOOR_S * len(rungs[-1].batch):
        return _below_floor(reference, rungs)
    try:
        fields = _timed(reference, timer, trials, _TIMING_SHARE * (ends - time.monotonic()))
        fields |= _remembered(reference, timer, rungs[: len(trials)])
    except SessionFailed as failed:
        return not_measured(f"{failed.outcome} when called again: {failed.detail}")
    if failure is not None:
        fields |= _censored(reference, len(trials), failure, limit_s)
    fields["reference_ladder_s"] = [trial.cpu_s for trial in reference.trials]
    return fields | _naive_fields(scout_naive(sandbox, reference, company, budget_s), rungs, fields.get("size"))


def _ladder(
    rungs: Sequence[Rung], trials: Sequence[Trial], references: Sequence[Trial], found: Blocks, top: int
) -> list[dict[str, Any]]:
    """Times at every size that both reached: medians over blocks for the two that blocks time, else the scout's one call."""
    ladder = [
        {"size": rung.size, "cpu_s": mine.cpu_s, "reference_cpu_s": theirs.cpu_s, "n": 1}
        for rung, mine, theirs in zip(rungs, trials, references, strict=False)
    ]
    timed = {top: (found.cpu_s, found.reference_cpu_s)}
    if found.lower_cpu_s:
        timed[top - 1] = (found.lower_cpu_s, found.reference_lower_cpu_s)
    for number, (mine, theirs) in timed.items():
        ladder[number] |= {"cpu_s": median(mine), "reference_cpu_s": median(theirs), "n": len(mine)}
    return ladder


def _naive_fields(trials: Sequence[Trial], rungs: Sequence[Rung], size: int | None) -> dict[str, Any]:
    """The naive solution's time at the size of the ratio, one call; None where it has none or did not come so far."""
    at_size = [trial.cpu_s for rung, trial in zip(rungs, trials, strict=False) if rung.size == size]
    return {"naive_cpu_s": at_size[0] if at_size and size is not None else None}


def not_measured(reason: str) -> dict[str, Any]:
    """A program that has no figures, and why."""
    return {"status": "not_measured", "reason": reason, "cpu_ratio": None}


def _below_floor(reference: Reference, rungs: Sequence[Rung]) -> dict[str, Any]:
    per_call_us = reference.trials[-1].cpu_s / len(rungs[-1].batch) * 1e6
    reason = f"the reference takes {per_call_us:.0f} µs a call, under the floor of {FLOOR_S * 1e6:.0f} µs"
    return {"status": "below_floor", "reason": reason, "cpu_ratio": None}


def _size_words(rung: Rung) -> str:
    return "the heaviest inputs" if rung.size is None else f"size {rung.size}"


def _first_wrong(reference: Reference, trials: Sequence[Trial]) -> int | None:
    """The first rung where the program's outputs are not right."""
    for rung, mine, theirs in zip(reference.workload.rungs, trials, reference.trials, strict=False):
        if not reference.workload.agrees(rung, mine.outputs or [], theirs.outputs or []):
            return rung.number
    return None


def _timed(reference: Reference, timer: Timer, trials: Sequence[Trial], budget_s: float) -> dict[str, Any]:
    """CPU and wall ratio, growth and the ladder of sizes; an empty ladder when the program came past no size at all."""
    top = affordable(trials, reference.trials, budget_s)
    if top is None:
        return {"ladder": []}
    rungs = reference.workload.rungs[: top + 1]
    found = compare(timer, reference.timer, rungs, budget_s=budget_s)
    if found.first_calls and reference.trials[top].cpu_s < FIRST_CALL_S:
        return not_measured(f"{KEEPS}, and one call of the reference is too quick to be timed alone")
    if len(found) < MIN_BLOCKS:
        return not_measured(f"{TOO_LITTLE}: {count_of(len(found), 'block')}, and an interval takes {MIN_BLOCKS}")
    return {
        "status": "disturbed" if found.mostly_disturbed else "measured",
        "reason": _remarks(found),
        "size": rungs[-1].size,
        "cpu_ratio": plain(found.cpu_ratio),
        "wall_ratio": plain(found.wall_ratio),
        **_medians(found),
        "blocks": len(found),
        "disturbed_blocks": found.disturbed,
        **_instructions(found),
        **_growths(found, rungs),
        "ladder": _ladder(reference.workload.rungs, trials, reference.trials, found, top),
    }


def _remarks(found: Blocks) -> str:
    company = f"{found.disturbed} of {len(found)} blocks had company on their core" if found.disturbed else ""
    kept = f"{KEEPS}: first calls are compared" if found.first_calls else ""
    return "; ".join(filter(None, [kept, _works_outside(found), company]))


def _works_outside(found: Blocks) -> str:
    """Far more CPU time around its calls than decoding takes, which costs the reference as much: work that no ratio shows."""
    mine, theirs = median(found.outside_cpu_s), median(found.reference_outside_cpu_s)
    if mine <= _OUTSIDE_FACTOR * theirs + _OUTSIDE_S or mine <= median(found.cpu_s):
        return ""
    return f"it works between its calls: {mine * 1e3:.0f} ms of CPU time around a window"


def affordable(trials: Sequence[Trial], references: Sequence[Trial], budget_s: float) -> int | None:
    """The largest rung on which the fewest useful blocks fit the budget; the smallest if none does, None if there is none."""
    chosen = 0 if trials else None
    for number, (mine, theirs) in enumerate(zip(trials, references, strict=False)):
        pair_s = max(mine.elapsed_s, WINDOW_S) + max(theirs.elapsed_s, WINDOW_S)
        if MIN_BLOCKS * (_SESSION_S + 2.5 * pair_s) <= budget_s:
            chosen = number
    return chosen


def _medians(found: Blocks) -> dict[str, Any]:
    names = ("cpu_s", "wall_s", "outside_cpu_s")
    middles = {name: median(getattr(found, name)) for own in names for name in (own, f"reference_{own}")}
    return {**middles, "cpu_utilisation": middles["cpu_s"] / max(middles["wall_s"], 1e-9)}


def _instructions(found: Blocks) -> dict[str, Any]:
    """Retired instructions of a pass in user mode; {} where the kernel does not let us count."""
    if len(found.retired_instructions) < len(found):
        return {}
    return {
        "retired_instructions": median(found.retired_instructions),
        "reference_retired_instructions": median(found.reference_retired_instructions),
    }


def _growths(found: Blocks, rungs: Sequence[Rung]) -> dict[str, Any]:
    if not found.lower_cpu_s or rungs[-1].size is None or rungs[-2].size is None:
        return {"growth": None, "reference_growth": None}
    sizes = (rungs[-2].size, rungs[-1].size)
    return {
        "growth": _growth_fields(time_growth(found.lower_cpu_s, found.cpu_s, sizes)),
        "reference_growth": _growth_fields(time_growth(found.reference_lower_cpu_s, found.reference_cpu_s, sizes)),
    }


def _growth_fields(found: Growth | None) -> dict[str, Any] | None:
    return None if found is None else {**plain(found), "sizes": list(found.sizes), "like": list(found.like)}


def _remembered(reference: Reference, timer: Timer, rungs: Sequence[Rung]) -> dict[str, Any]:
    """Peak memory at the largest size reached, and its growth from the one below."""
    if not rungs:
        return {}
    mine, theirs = peak_of(timer.open, rungs), reference.peak(rungs)
    if mine is None or theirs is None:
        return {"memory_bytes": None, "reference_memory_bytes": None}
    fields: dict[str, Any] = {
        "memory_bytes": mine.growth_bytes,
        "reference_memory_bytes": theirs.growth_bytes,
        "rss_bytes": mine.rss_bytes,
        "reference_rss_bytes": theirs.rss_bytes,
        "rss_byte_seconds": mine.byte_seconds,
        "reference_rss_byte_seconds": theirs.byte_seconds,
    }
    return fields | _memory_growths(reference, timer, rungs, mine, theirs)


def _memory_growths(
    reference: Reference, timer: Timer, rungs: Sequence[Rung], mine: Peak, theirs: Peak
) -> dict[str, Any]:
    if len(rungs) < 2 or rungs[-1].size is None or rungs[-2].size is None:
        return {"memory_growth": None, "reference_memory_growth": None}
    sizes = (rungs[-2].size, rungs[-1].size)
    lower, lower_reference = peak_of(timer.open, rungs[:-1]), reference.peak(rungs[:-1])
    return {
        "memory_growth": _growth_fields(memory_growth(lower.growth_bytes, mine.growth_bytes, sizes) if lower else None),
        "reference_memory_growth": _growth_fields(
            memory_growth(lower_reference.growth_bytes, theirs.growth_bytes, sizes) if lower_reference else None
        ),
    }


def _censored(reference: Reference, reached: int, failure: SessionFailed, limit_s: float) -> dict[str, Any]:
    """The program ran into a limit at the first size not reached: at least so many times the reference's time."""
    rung, theirs = reference.workload.rungs[reached], reference.trials[reached]
    fields: dict[str, Any] = {
        "status": "censored",
        "reason": f"{failure.outcome} ({failure.detail}) at {_size_words(rung)}",
        "censored_size": rung.size,
        "limit_s": limit_s,
    }
    if failure.outcome is Outcome.TIMEOUT:
        bound = limit_s / theirs.cpu_s
        fields["cpu_ratio"] = plain(Ratio(bound, bound, float("inf"), 1))
        fields |= {"size": rung.size, "cpu_s": limit_s, "reference_cpu_s": theirs.cpu_s}
    return fields
