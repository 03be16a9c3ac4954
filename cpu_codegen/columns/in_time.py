"""A run under a deadline: until when samples may be begun, what of the rest fits in, and how the run then ends.

Without a deadline everything here lets everything through.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.engine.protocol import TimeLimit
from cpu_codegen.inputs import RunInputs
from cpu_codegen.progress import Progress
from cpu_codegen.session import Session
from cpu_codegen.store import RunFolder

PAGE_S = 2.0
"""For writing the page and the manifest at the end."""

SANDBOX_START_S = 2.0
SCORING_EACH_S = 0.2
"""Wall seconds to judge one answer until this folder has told; most take milliseconds, an endless loop takes its limit."""

LEAST_BUDGET_S = 2.0


def time_for_answers(session: Session) -> TimeLimit | None:
    """Until when all answers must be complete, so that those that are there can be judged before the deadline."""
    if session.deadline is None:
        return None
    each_s = scoring_each_s(session.manifest)
    generated = {record["key"] for record in session.folder.read("generations")}
    judged = {record["generation"] for record in session.folder.read("results")}
    reserve_s = PAGE_S + SANDBOX_START_S + each_s * len(generated - judged)
    return TimeLimit(session.deadline.less(reserve_s).left_s, each_s)


def scoring_each_s(manifest: dict[str, Any]) -> float:
    """Wall seconds per judged answer over this run's sessions so far, without the sandbox's start."""
    told = [s for s in manifest.get("sessions", []) if s.get("executed")]
    executed = sum(int(s["executed"]) for s in told)
    if executed < 5:
        return SCORING_EACH_S
    return max(0.0, float(sum(s["execute_s"] for s in told)) - SANDBOX_START_S * len(told)) / executed


def in_time(session: Session, records: Iterator[dict[str, Any]]) -> Generator[dict[str, Any], None, None]:
    """The records as they come; none any more once only the page's time is left."""
    began, count = time.monotonic(), 0
    with closing(_closable(records)):
        for record in records:
            yield record
            count += 1
            if session.deadline is not None and session.deadline.left_s() <= PAGE_S:
                break
    if count:
        took_s = time.monotonic() - began
        session.note(
            executed=session.facts.get("executed", 0) + count, execute_s=session.facts.get("execute_s", 0.0) + took_s
        )


def _closable(records: Iterator[dict[str, Any]]) -> Generator[dict[str, Any], None, None]:
    assert isinstance(records, Generator), "a column is a generator: closing it ends its workers"
    return records


def budget_in_time(session: Session, progress: Progress) -> bool:
    """Cuts the efficiency budget to the time that is left; False where that is not worth a start."""
    config = session.config
    if session.deadline is None or config.efficiency_budget_s <= 0:
        return True
    left_s = 0.9 * (session.deadline.left_s() - PAGE_S - SANDBOX_START_S)
    if left_s < LEAST_BUDGET_S:
        progress.begin("measure", 0)
        progress.end("not measured: no time left before the deadline")
        return False
    session.config = replace(config, efficiency_budget_s=min(config.efficiency_budget_s, left_s))
    return True


def left_over(folder: RunFolder, inputs: RunInputs) -> int:
    """How many of the samples that are asked for have no verdict yet."""
    judged = {record["generation"] for record in folder.read("results")}
    return sum(sample.key not in judged for sample in inputs.samples)


def status(session: Session, inputs: RunInputs, progress: Progress) -> str:
    """`finished`, or `partial` where the deadline left samples without a verdict; says how many."""
    left = left_over(session.folder, inputs)
    if not left:
        return "finished"
    done, total = len(inputs.samples) - left, len(inputs.samples)
    progress.say(
        f"partial, {session.folder.path.name}: {done} of {count_of(total, 'answer')} so far; the same command goes on"
    )
    return "partial"
