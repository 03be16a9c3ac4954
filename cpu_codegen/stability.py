"""`run --stability N`: the first N problems answered once more, to see how many verdicts chance alone changes.

What may differ is what should not matter: with sampling the seed, with greedy decoding the width of the batch (other kernels sum
in another order). The second run is an ordinary run folder, `again` inside the first, so it resumes, and `compare RUN RUN/again`
shows it in full. Not covered: counting the flips (report/flips.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cpu_codegen.config import RunConfig
from cpu_codegen.inputs import RunInputs
from cpu_codegen.report.flips import AGAIN


def second_run(config: RunConfig, inputs: RunInputs, path: Path, sessions: Sequence[dict[str, Any]]) -> RunConfig:
    """The same run over the first N problems of each suite, with another seed or another width, without measuring."""
    first: list[str] = []
    for suite in dict.fromkeys(problem.suite for problem in inputs.problems):
        first += [problem.id for problem in inputs.problems if problem.suite == suite][: config.stability]
    width = next((s["width"] for s in reversed(sessions) if s.get("width")), 1)
    settings, parallel = config.settings, width
    if inputs.settings["sampling"]["temperature"] > 0:
        settings = replace(settings, seed=settings.seed + 1)
    else:
        parallel = 1 if width > 1 else 2
    return replace(
        config,
        ids=tuple(dict.fromkeys(first)),
        levels=(),
        limit=None,
        settings=settings,
        parallel=parallel,
        draft=config.draft if parallel == 1 else None,
        efficiency_budget_s=0.0,
        reuse=None,
        stability=0,
        out=str(path / AGAIN),
    )
