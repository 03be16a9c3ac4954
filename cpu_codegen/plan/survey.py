"""The question of a `plan` command → the machine, its calibration and a plan for every model asked about."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cpu_codegen.counts import count_of
from cpu_codegen.engine.room import parse_kv_types, within
from cpu_codegen.machine import Machine, fingerprint
from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.plan.calibration import Calibration, calibration
from cpu_codegen.plan.company import plausible
from cpu_codegen.plan.estimate import Plan, Room, make_plan, measured_of, weight, with_nearest
from cpu_codegen.plan.fitting import Fitting, fitting
from cpu_codegen.plan.greedy import greedy_warnings
from cpu_codegen.plan.measured import Measured, measured_runs
from cpu_codegen.plan.question import AsIf, Question, parse_as_if
from cpu_codegen.plan.reasons import as_its_file_tells
from cpu_codegen.plan.rest import ram_at_rest_bytes
from cpu_codegen.plan.shape import Shape, shape_of_spec
from cpu_codegen.plan.shape_source import best_shape
from cpu_codegen.plan.speed import as_if as transformed
from cpu_codegen.plan.words import ago
from cpu_codegen.plan.work import Work, work
from cpu_codegen.progress import Progress
from cpu_codegen.registry import is_local, resolve
from cpu_codegen.requirements import Gate
from cpu_codegen.sizes import format_bytes


@dataclass(frozen=True, slots=True)
class Survey:
    """The answer: plans in the order asked, or by size for a registry. `fittings` by model, of those asked about by name."""

    plans: list[Plan]
    machine_line: str
    basis: str
    answers: int
    notes: list[str]
    fittings: dict[str, Fitting] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What all plans of one question stand on."""

    question: Question
    speed: Calibration | None
    room: Room
    runs: Mapping[str, Measured]

    def plan(self, spec: ModelSpec, shape: Shape | None, *, is_here: bool) -> Plan:
        """One model, asked about or beside it."""
        return make_plan(
            spec,
            shape,
            self.speed,
            self.room,
            _work(self.question, spec),
            is_here=is_here,
            ctx_tokens=self.question.ctx_tokens,
            min_speed=self.question.min_speed,
            measured=measured_of(spec, self.runs),
        )

    def plan_of_registry(self, spec: ModelSpec) -> Plan:
        """From the registry's facts alone: no file is opened."""
        shape = shape_of_spec(spec, parse_kv_types(self.question.kv_type))
        return self.plan(spec, shape, is_here=is_local(spec))


def survey(question: Question, *, progress: Progress) -> Survey:
    """Plans for all models of the question. Calibrates what is missing unless told not to."""
    other = parse_as_if(question.as_if) if question.as_if else AsIf()
    machine, specs = fingerprint(), _specs(question)
    here = [is_local(spec) for spec in specs]
    specs = [as_its_file_tells(spec) if is_here else spec for spec, is_here in zip(specs, here, strict=True)]
    shapes = _shapes(question, specs, here)
    free = ram_at_rest_bytes(machine) if question.at_rest else machine.ram_available_bytes
    room = Room(within(other.ram_bytes or free, question.max_ram_bytes), _free_disk())
    measured_here = _calibrated(question, machine, shapes, progress)
    speed = _as_asked(measured_here, other)
    ground = _Ground(question, speed, room, {} if question.as_if else measured_runs(machine))
    plans = [
        ground.plan(spec, shape, is_here=is_here) for spec, shape, is_here in zip(specs, shapes, here, strict=True)
    ]
    plans = _nearest_in_registry(plans, ground)
    if not question.models:
        plans.sort(key=weight)
    return Survey(
        plans=plans,
        machine_line=_machine_line(machine, room, measured_here, question),
        basis=_basis(speed),
        answers=_work(question, specs[0]).answers if specs else 0,
        notes=[*_notes(speed, question), *greedy_warnings(specs if question.models else (), question.think)],
        fittings=_fittings(plans, shapes, ground) if question.models else {},
        gates=_gates(plans, question),
    )


def _work(question: Question, spec: ModelSpec) -> Work:
    return work(
        question.suites,
        question.styles,
        spec,
        max_tokens=question.max_tokens,
        keep_going=question.keep_going,
        think=question.think,
    )


def _shapes(question: Question, specs: Sequence[ModelSpec], here: Sequence[bool]) -> list[Shape | None]:
    """The hub is asked about models that are named and not here."""
    kv_types = parse_kv_types(question.kv_type)
    ask_hub = bool(question.models) and not question.offline
    return [
        best_shape(spec, kv_types, is_here=is_here, ask_hub=ask_hub) for spec, is_here in zip(specs, here, strict=True)
    ]


def _specs(question: Question) -> list[ModelSpec]:
    if question.models:
        return [resolve(n, models_file=question.models_file, offline=question.offline) for n in question.models]
    return [spec for spec in load_catalogue(question.models_file).specs() if spec.family != "demo"]


def _calibrated(
    question: Question, machine: Machine, shapes: Sequence[Shape | None], progress: Progress
) -> Calibration | None:
    from cpu_codegen.plan.calibration import FIRST_TYPES, cached

    wanted = {kind for shape in shapes if shape is not None for kind in shape.types if kind in FIRST_TYPES}
    if question.calibrate:
        found = calibration(machine, wanted, threads=question.threads, progress=progress, again=question.recalibrate)
    else:
        found = cached(machine, threads=question.threads)
    return plausible(found) if found is not None and found.types else None


def _as_asked(found: Calibration | None, other: AsIf) -> Calibration | None:
    if found is None or (other.cores is None and other.bandwidth_bytes_s is None):
        return found
    return transformed(found, cores=other.cores, bandwidth_bytes_s=other.bandwidth_bytes_s)


def _nearest_in_registry(plans: list[Plan], ground: _Ground) -> list[Plan]:
    """What to take instead comes from the whole registry, also when a single model was asked about."""
    question = ground.question
    if not question.models or all(plan.is_usable for plan in plans):
        return with_nearest(plans)
    names = {plan.spec.name for plan in plans}
    others = [spec for spec in _specs(replace(question, models=())) if spec.name not in names]
    return with_nearest([*plans, *map(ground.plan_of_registry, others)])[: len(plans)]


def _gates(plans: Sequence[Plan], question: Question) -> list[Gate]:
    """Loaded only when asked for: it brings the report's numbers with it."""
    if not question.require:
        return []
    from cpu_codegen.plan.gate import plan_gates

    return plan_gates(plans, question.require, question.suites, question.styles)


def _fittings(plans: Sequence[Plan], shapes: Sequence[Shape | None], ground: _Ground) -> dict[str, Fitting]:
    """For each model asked about: its largest context here, and the best of the files that the registry has of it."""
    catalogue = load_catalogue(ground.question.models_file)
    found: dict[str, Fitting] = {}
    for plan, shape in zip(plans, shapes, strict=True):
        others = [s for s in catalogue.models.get(plan.spec.alias, {}).values() if s.name != plan.spec.name]
        files = [plan, *map(ground.plan_of_registry, others)]
        found[plan.spec.name] = fitting(plan, shape, ground.room.ram_bytes, files)
    return found


def _free_disk() -> int | None:
    folder = hub_cache()
    existing = next((path for path in (folder, *folder.parents) if path.is_dir()), None)
    return shutil.disk_usage(existing).free if existing else None


def _machine_line(machine: Machine, room: Room, found: Calibration | None, question: Question) -> str:
    ram = format_bytes(room.ram_bytes) if room.ram_bytes else "unknown"
    if question.as_if:
        return f"as if: {question.as_if}, otherwise {machine.cpu}"
    threads = count_of(found.threads, "thread") if found else "? threads"
    when = "no speeds: llama.cpp cannot be used here, or the machine was too busy to time it"
    if found is not None:
        age_s = max(time.time() - found.taken_unix, 0)
        when = f"calibrated {ago(age_s)} ago" + (", while other programs were busy" if found.is_crowded else "")
    return f"this machine: {machine.cpu}, {threads}, {ram} RAM free · {when}"


def _basis(speed: Calibration | None) -> str:
    if speed is None:
        return "sizes and shapes only"
    words = "tensor types timed on this machine × weights per token"
    return words if speed.source == "measured" else words + ", scaled to the other machine: rough"


def _notes(speed: Calibration | None, question: Question) -> list[str]:
    notes = []
    if speed is not None and speed.is_crowded:
        notes.append(
            f"{speed.busy_cores:.1f} cores were busy with other programs while it calibrated: speeds are too low, and what"
            " reads slow may not be; plan again when it is quiet, it then calibrates anew"
        )
    elif speed is not None and any(cost.spread > 0.3 for cost in speed.types.values()):
        notes.append("the calibration was noisy (other programs?): --recalibrate when it is quiet")
    if question.as_if:
        notes.append("of another machine only what you named is different; measured runs of this one are left out")
    return notes
