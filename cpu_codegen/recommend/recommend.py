"""The recommendation for this machine: plans of all models, what is known of each, the names, and the first one put to use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cpu_codegen.errors import UsageError
from cpu_codegen.machine import default_threads, fingerprint
from cpu_codegen.models.catalogue import PREFERRED_QUANTS
from cpu_codegen.models.quants import bits_of
from cpu_codegen.plan.benched import recall
from cpu_codegen.plan.calibration import cached
from cpu_codegen.plan.estimate import Plan, weight
from cpu_codegen.plan.question import Question
from cpu_codegen.plan.survey import survey
from cpu_codegen.progress import Progress
from cpu_codegen.recommend.choice import Candidate, Choice, choose, front, measured_quality, published_quality
from cpu_codegen.recommend.deploy import Deployment, commands, deployment
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
    rest is not considered.
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

    @property
    def non_commercial(self) -> list[str]:
        """Models of the fronts that are not named because their licence forbids commercial use."""
        return [one.name for one in self.rows if one.plan.spec.commercial_use == "forbidden"]


def recommend(question: Question, *, progress: Progress, deploy: str | None = None) -> Recommendation:
    """What to run here. `deploy` names another model than the first choice for the commands."""
    known = cached(fingerprint(), threads=question.threads)
    if question.calibrate and known is not None and known.types:
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
    )


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
    foreign = [run for run in reversed(runs) if run.sha256 not in listed and run.engine == "llama.cpp"]
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


# ── for machines ─────────────────────────────────────────────────────────────────────────────────────────────────────


def as_record(found: Recommendation) -> dict[str, Any]:
    """Scores: own ones as shares of 1 with n, published ones out of 100 with setting and source; unknown is null."""
    return {
        "machine": found.machine_line,
        "basis": found.basis,
        "choices": [
            {"model": choice.candidate.name, "basis": choice.basis, "sentence": choice.sentence}
            for choice in found.choices
        ],
        "front": [row_record(one) for one in found.rows],
        "fitting": found.fitting,
        "no_data": found.no_data,
        "left_out": found.left_out,
        "not_named_non_commercial": found.non_commercial,
        "notes": found.notes,
        "use": {title.partition(":")[0]: text for title, text in commands(found.deployed)} if found.deployed else None,
        "use_basis": found.deployed.basis if found.deployed else None,
    }


def row_record(one: Candidate) -> dict[str, Any]:
    """One model of the fronts."""
    plan, own, told = one.plan, one.own, one.claim
    is_measured = plan.measured is not None and plan.measured.width == 1
    return {
        "model": one.name,
        "verdict": plan.verdict,
        "ram_bytes": plan.ram.needed_bytes if plan.ram else None,
        "tokens_per_s_measured": one.speed if is_measured else None,
        "tokens_per_s_estimate": plan.decode.value if plan.decode else None,
        "own": {"suite": own.suite, "pass@1": own.value, "n": own.n, "run": own.run} if own else None,
        "published": {"suite": told.suite, "value": told.value, "setting": told.setting, "source": told.source}
        if told
        else None,
    }
