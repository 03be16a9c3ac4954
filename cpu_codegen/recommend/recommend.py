"""The recommendation for this machine: plans of all models, what is known of each, the names, and the first one put to use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cpu_codegen.busy import watch
from cpu_codegen.errors import UsageError
from cpu_codegen.machine import Machine, default_threads, fingerprint
from cpu_codegen.models.catalogue import PREFERRED_QUANTS
from cpu_codegen.models.quants import bits_of
from cpu_codegen.plan.benched import recall
from cpu_codegen.plan.calibration import Calibration, cached
from cpu_codegen.plan.estimate import Plan, weight
from cpu_codegen.plan.question import Question
from cpu_codegen.plan.rest import is_crowded, ram_at_rest_bytes
from cpu_codegen.plan.survey import survey
from cpu_codegen.progress import Progress
from cpu_codegen.recommend.choice import Candidate, Choice, choose, front, measured_quality, published_quality
from cpu_codegen.recommend.deploy import Deployment, deployment
from cpu_codegen.recommend.quality import NATIVE, Own, best_known, claim, own_runs
from cpu_codegen.registry import local_paths

MOST_FOREIGN = 20
"""Files outside the registry that own runs know: so many are looked at."""

UNTIMED = "no model was timed here, so whether the names are fast enough is not known: cpu-codegen plan --recalibrate"
ORDER_OF_SUITES = ("lowcost60", "humaneval+", "mbpp+", "humaneval", "mbpp")


@dataclass(frozen=True, slots=True)
class Recommendation:
    """`rows` are the models of both fronts, in order of speed; `no_data` those that fit and of which nothing is known.

    `suite` is the one of own runs; `fitting` names all that fit and are fast enough, the largest first; `left_out` counts why the
    rest is not considered. `at_rest` is the first name with nothing else running, where other programs keep it from being the first
    now; `ram_at_rest_bytes` are free then.
    """

    machine_line: str
    basis: str
    suite: str
    choices: list[Choice]
    rows: list[Candidate]
    fitting: list[str]
    no_data: list[str]
    left_out: dict[str, int]
    notes: list[str]
    deployed: Deployment | None
    at_rest: Choice | None = None
    ram_at_rest_bytes: int | None = None

    @property
    def non_commercial(self) -> list[str]:
        """Models of the fronts that are not named because their licence forbids commercial use."""
        return [one.name for one in self.rows if one.plan.spec.commercial_use == "forbidden"]


def recommend(question: Question, *, progress: Progress, deploy: str | None = None) -> Recommendation:
    """What to run here. `deploy` names another model than the first choice for the commands."""
    machine = fingerprint()
    known = cached(machine, threads=question.threads)
    if question.calibrate and known is not None and known.types and not _may_be_better_now(known):
        # types that it lacks borrow from their neighbours: an answer at once
        question = replace(question, calibrate=False)
    found = survey(question, progress=progress)
    weighed = _weigh(question, found.plans, progress)
    choices, candidates = weighed.choices, weighed.candidates
    fronts = [*front(candidates, measured_quality), *front(candidates, published_quality)]
    rows = {one.name: one for one in [*fronts, *(choice.candidate for choice in choices)]}
    return Recommendation(
        machine_line=found.machine_line,
        basis=found.basis,
        suite=weighed.suite,
        choices=choices,
        rows=sorted(rows.values(), key=lambda one: -one.speed),
        fitting=[one.name for one in sorted(candidates, key=lambda one: -weight(one.plan))],
        no_data=_no_data(candidates),
        left_out=dict(Counter(_why_not(plan) for plan in weighed.plans if not plan.is_usable)),
        notes=[*found.notes, *([UNTIMED] if any(not choice.candidate.speed for choice in choices) else [])],
        deployed=_deployed(choices, candidates, weighed.runs, question, deploy),
        at_rest=_at_rest(question, machine, found.plans, choices, progress),
        ram_at_rest_bytes=ram_at_rest_bytes(machine),
    )


def _may_be_better_now(known: Calibration) -> bool:
    """It was taken beside other programs, and now the cores are ours."""
    busy = watch() if known.is_crowded else None
    return busy is not None and not busy.crowds(known.threads)


def _at_rest(
    question: Question, machine: Machine, plans: Sequence[Plan], choices: Sequence[Choice], progress: Progress
) -> Choice | None:
    """The first name on this machine with nothing else running; None where that is none, the same, or no larger one."""
    if question.as_if or not (is_crowded(machine) or any(plan.slow_in_company for plan in plans)):
        return None
    alone = replace(question, at_rest=True, calibrate=False)
    quick = [
        replace(plan, slow=plan.slow and not plan.slow_in_company) for plan in survey(alone, progress=progress).plans
    ]
    first = first_choice(alone, quick, progress=progress)
    if first is None or (choices and weight(first.candidate.plan) <= weight(choices[0].candidate.plan)):
        return None
    return first


def first_choice(question: Question, plans: Sequence[Plan], *, progress: Progress) -> Choice | None:
    """The first of the names that `recommend` gives for a question whose plans are made already; None = no name."""
    choices = _weigh(question, plans, progress).choices
    return choices[0] if choices else None


@dataclass(frozen=True, slots=True)
class _Weighed:
    """Plans, those outside the registry included; what is known of the usable ones; the names."""

    plans: list[Plan]
    candidates: list[Candidate]
    choices: list[Choice]
    suite: str
    runs: list[Own]


def _weigh(question: Question, plans: Sequence[Plan], progress: Progress) -> _Weighed:
    runs = own_runs()
    plans = [*plans, *([] if question.models else _foreign(question, plans, runs, progress))]
    usable = [plan for plan in plans if plan.is_usable and plan.spec.family != "demo"]
    suite, known = _common_suite(best_known(runs), usable)
    shown = _representatives(usable)
    candidates = [
        Candidate(plan, _own_of(plan, known), claim(plan.spec) if plan.spec.name in shown else None) for plan in usable
    ]
    return _Weighed(plans, candidates, choose(candidates), suite, runs)


# ── what is known ────────────────────────────────────────────────────────────────────────────────────────────────────


def _common_suite(known: dict[tuple[str, str], Own], plans: Sequence[Plan]) -> tuple[str, dict[str, Own]]:
    """The suite that most of these models were measured on, and its runs by digest."""
    by_suite: dict[str, dict[str, Own]] = {}
    for (sha256, suite), run in known.items():
        by_suite.setdefault(suite, {})[sha256] = run
    rank = {name: -number for number, name in enumerate(ORDER_OF_SUITES)}

    def measured(suite: str) -> int:
        return sum(_own_of(plan, by_suite[suite]) is not None for plan in plans)

    suite = max(by_suite, key=lambda name: (measured(name), rank.get(name, -99)), default="")
    return (suite, by_suite[suite]) if suite and measured(suite) else ("", {})


def _own_of(plan: Plan, known: dict[str, Own]) -> Own | None:
    """By digest; a file without a pinned one by its name or path."""
    spec = plan.spec
    if len(spec.sha256s) == 1:
        return known.get(spec.sha256s[0])
    return next((run for run in known.values() if run.name == spec.name or run.path in spec.paths), None)


def _representatives(plans: Sequence[Plan]) -> set[str]:
    """One file of each model stands for its original's score: that of the usual quantization, never one below 4 bits.

    A published score is that of the unquantized weights; the smallest file of a ladder would else be the "fastest for that score".
    """
    chosen: dict[str, Plan] = {}
    for plan in plans:
        bits = bits_of(plan.spec.quant)
        if (bits is not None and bits < 4 and not _is_native(plan)) or not plan.spec.published:
            continue
        key = plan.spec.alias or plan.spec.name
        if key not in chosen or _preference(plan) < _preference(chosen[key]):
            chosen[key] = plan
    return {plan.spec.name for plan in chosen.values()}


def _is_native(plan: Plan) -> bool:
    """Published for these very bits."""
    return any(row.precision in NATIVE for row in plan.spec.published)


def _preference(plan: Plan) -> tuple[int, float]:
    rank = {name: number for number, name in enumerate(PREFERRED_QUANTS)}
    return rank.get(plan.spec.quant, len(rank)), weight(plan)


def _no_data(candidates: Sequence[Candidate]) -> list[str]:
    """Models, by alias, of which no file has any figure."""
    known = {one.plan.spec.alias or one.name for one in candidates if one.own or one.plan.spec.published}
    return sorted({one.plan.spec.alias or one.name for one in candidates} - known)


def _why_not(plan: Plan) -> str:
    if plan.slow_in_company and plan.verdict in ("fits", "tight"):
        return "perhaps fast enough on a quiet machine"
    return "too slow" if plan.slow else {"too_big": "do not fit"}.get(plan.verdict, "unknown")


def _foreign(question: Question, plans: Sequence[Plan], runs: Sequence[Own], progress: Progress) -> list[Plan]:
    """Plans of files outside the registry that were run here and are still there."""
    listed = {sha for plan in plans for sha in plan.spec.sha256s}
    # the demo's file may be another installation's
    own = [run for run in reversed(runs) if run.name.partition("@")[0] != "demo"]
    foreign = [run for run in own if run.sha256 not in listed and run.engine == "llama.cpp"]
    there = {run.path: _name_of(run) for run in foreign if run.path.endswith(".gguf") and Path(run.path).is_file()}
    names = tuple(name for path, name in there.items() if not _is_listed(path, plans))[:MOST_FOREIGN]
    return survey(replace(question, models=names), progress=progress).plans if names else []


def _name_of(run: Own) -> str:
    """As it was typed, where that still means a file: under that name its measured speed is known."""
    return run.name if run.name.endswith(".gguf") and Path(run.name).is_file() else run.path


def _is_listed(path: str, plans: Sequence[Plan]) -> bool:
    """The demo, and files that the registry knows by their place."""
    from cpu_codegen.packaged import demo_model

    return path == str(demo_model()) or any(path in plan.spec.paths for plan in plans)


# ── put to use ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _deployed(
    choices: Sequence[Choice],
    candidates: Sequence[Candidate],
    runs: Sequence[Own],
    question: Question,
    wanted: str | None,
) -> Deployment | None:
    named = [one for one in candidates if wanted in (one.name, one.plan.spec.alias)] if wanted else []
    if wanted and not named:
        raise UsageError(
            f"--use {wanted}: not among the {len(candidates)} files that fit and are fast enough",
            remedy=f"cpu-codegen plan -m {wanted}",
        )
    one = named[0] if named else choices[0].candidate if choices else None
    if one is None:
        return None
    machine = fingerprint()
    sha256s = {one.own.sha256} if one.own else set(one.plan.spec.sha256s)
    here = [run for run in runs if run.sha256 in sha256s and run.machine == machine.id and run.engine == "llama.cpp"]
    path = str(local_paths(one.plan.spec)[0].absolute()) if one.plan.is_here else ""
    threads = question.threads or default_threads(machine)
    benched = next((found for sha in sha256s if (found := recall(machine, sha))), None)
    ctx_tokens = question.ctx_tokens or one.plan.ctx_tokens
    return deployment(one.plan.spec, path, here, threads=threads, ctx_tokens=ctx_tokens, benched=benched)
