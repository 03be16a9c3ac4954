"""What a run says before it starts: what it will need and take; without a model, which one to begin with."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cpu_codegen.counts import count_of

if TYPE_CHECKING:
    from pathlib import Path

    from cpu_codegen.config import RunConfig
    from cpu_codegen.plan.estimate import Plan


MOST_SHOWN = 12


def suggest(models_file: Path | None, *, offline: bool) -> str:
    """Prints what fits and what `recommend` says of it, and gives back its first name; for a `run` without a model."""
    from cpu_codegen.cli.bars import Bars
    from cpu_codegen.cli.recommend import write_names
    from cpu_codegen.plan.question import Question
    from cpu_codegen.recommend.recommend import recommend
    from cpu_codegen.report.escape import for_terminal

    found = recommend(Question(models_file=models_file, offline=offline), progress=Bars())
    write_names(found, sys.stderr)
    if found.fitting:
        shown, more = found.fitting[:MOST_SHOWN], len(found.fitting) - MOST_SHOWN
        others = f" and {count_of(more, 'smaller one')}" if more > 0 else ""
        told = f"fit and are fast enough: {', '.join(shown)}{others} (cpu-codegen plan)"
        sys.stderr.write(for_terminal(told) + "\n\n")
    return found.choices[0].candidate.name if found.choices else "MODEL"


def outlook(config: RunConfig) -> str | None:
    """One line before a run: what it will need and take, by what is known already; None when that is nothing."""
    from cpu_codegen.errors import CpuCodegenError
    from cpu_codegen.plan.estimate import SHOWN
    from cpu_codegen.plan.greedy import against_greedy
    from cpu_codegen.plan.question import question_of
    from cpu_codegen.plan.survey import survey
    from cpu_codegen.plan.words import both_ways, duration, figure
    from cpu_codegen.progress import Silent
    from cpu_codegen.sizes import format_bytes

    try:
        (plan,) = survey(question_of(config), progress=Silent()).plans
    except CpuCodegenError:
        return None  # the run itself will say what is wrong
    if plan.ram is None:
        return None
    if plan.verdict == "too_big" and not plan.is_here and not config.force:
        _refuse_download(plan)
    words = [f"{plan.spec.name}: {SHOWN[plan.verdict]}", f"needs ≈ {format_bytes(plan.ram.needed_bytes)}"]
    if plan.speed is not None:
        words.append(f"≈ {figure(plan.speed)} tokens/s in one stream")
    is_part = config.ids or config.levels or config.limit or config.samples_per_problem > 1
    if plan.run_s is not None and not is_part:
        basis = "by an earlier run" if plan.measured else "estimate"
        words.append(f"{count_of(plan.answers, 'answer')} in ≈ {duration(plan.run_s)} ({basis})" + both_ways(plan))
    greedy = config.settings.sampling.temperature <= 0 and not config.settings.recommended
    if greedy and (warning := against_greedy(plan.spec, config.settings.think)):
        words.append(warning)
    return "plan: " + ", ".join(words)


def _refuse_download(plan: Plan) -> None:
    """Gigabytes that could not be used are not fetched in the first place."""
    from cpu_codegen.errors import MachineError

    nearest = f"-m {plan.nearest}, or " if plan.nearest else ""
    raise MachineError(
        f"{plan.spec.name} does not fit ({plan.reason}); nothing was downloaded",
        remedy=f"{nearest}--force to fetch and load it all the same",
    )
