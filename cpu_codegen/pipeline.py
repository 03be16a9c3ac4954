"""THE LINE: model + suites → prompts → generations → results → efficiency; the only module that knows this order.

By column, not by sample: all answers are generated, the model is unloaded, then all are executed, then all that passed are
measured. Each column is an append-only file, and what is left to do is always computed from keys, so the same command
goes on after any interruption. Under a deadline over several models `answer` runs once per round, and `gauge` comes last.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cpu_codegen.columns.execute import execute
from cpu_codegen.columns.generate import generate
from cpu_codegen.columns.in_time import budget_in_time, in_time, status
from cpu_codegen.columns.measure import measure
from cpu_codegen.columns.reuse import reuse
from cpu_codegen.config import RunConfig
from cpu_codegen.counts import count_of
from cpu_codegen.deadline import Deadline
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.progress import Progress
from cpu_codegen.session import Session, open_run
from cpu_codegen.stability import second_run


def run(config: RunConfig, *, progress: Progress, argv: Sequence[str] = (), deadline: Deadline | None = None) -> Path:
    """Runs or resumes one run and gives its folder back. Interrupted: what is stored stays."""
    return run_prepared(config, prepare(config, progress), progress=progress, argv=argv, deadline=deadline)


def run_prepared(
    config: RunConfig,
    inputs: RunInputs,
    *,
    progress: Progress,
    argv: Sequence[str] = (),
    deadline: Deadline | None = None,
) -> Path:
    """The same with inputs that are there already."""
    with open_run(config, inputs, argv=argv, progress=progress, deadline=deadline) as session:
        with session.kept(inputs.samples):
            answer(session, inputs, progress)
            gauge(session, inputs, progress)
            answer_again(session, inputs, progress, argv)
        session.end(status(session, inputs, progress))
        return session.folder.path


def answer(session: Session, inputs: RunInputs, progress: Progress) -> None:
    """All answers, then, without the model in memory, their verdicts."""
    for generation in reuse(session, inputs, progress):
        session.folder.append("generations", generation)
    for generation in generate(session, inputs, progress):
        session.folder.append("generations", generation)
    for result in in_time(session, execute(session, inputs, progress)):
        session.folder.append("results", result)


def gauge(session: Session, inputs: RunInputs, progress: Progress) -> None:
    """The efficiency of what passed, in the time that is left."""
    if budget_in_time(session, progress):
        for efficiency in measure(session, inputs, progress):
            session.folder.append("efficiency", efficiency)


def answer_again(session: Session, inputs: RunInputs, progress: Progress, argv: Sequence[str]) -> None:
    """`--stability N`: some problems once more, as a run folder inside this one."""
    if session.config.stability:
        progress.say(f"stability: the first {count_of(session.config.stability, 'problem')} again")
        again = second_run(session.config, inputs, session.folder.path, session.manifest["sessions"])
        run(again, progress=progress, argv=argv)
