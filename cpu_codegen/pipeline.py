"""THE LINE: model + suites → prompts → generations → results → efficiency; the only module that knows this order.

By column, not by sample: all answers are generated, the model is unloaded, then all are executed, then all that passed are
measured. Each column is an append-only file, and what is left to do is always computed from keys, so the same command
goes on after any interruption.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cpu_codegen.columns.execute import execute
from cpu_codegen.columns.generate import generate
from cpu_codegen.columns.measure import measure
from cpu_codegen.config import RunConfig
from cpu_codegen.errors import Interrupted
from cpu_codegen.inputs import prepare
from cpu_codegen.progress import Progress
from cpu_codegen.session import open_run


def run(config: RunConfig, *, progress: Progress, argv: Sequence[str] = ()) -> Path:
    """Runs or resumes one run and gives its folder back. Interrupted: what is stored stays."""
    inputs = prepare(config, progress)
    with open_run(config, inputs, argv=argv, progress=progress) as session:
        try:
            for generation in generate(session, inputs, progress):
                session.folder.append("generations", generation)
            for result in execute(session, inputs, progress):
                session.folder.append("results", result)
            for efficiency in measure(session, inputs, progress):
                session.folder.append("efficiency", efficiency)
        except (KeyboardInterrupt, Interrupted) as stop:
            session.end("interrupted")
            raise session.interruption(stop, wanted=len(inputs.samples)) from None
        session.end("finished")
        return session.folder.path
