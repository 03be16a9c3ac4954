"""Several runs of one command: the group, the order of the models, one model in memory at a time, what an interruption leaves.

All downloads end before the first model loads. Without a deadline or a race each model runs to its end, the soonest answers first;
else all go in rounds of equal blocks (campaign_rounds.py). A model that fails does not spoil the others' night: the command goes on
and ends with its error. Not covered: one run itself (pipeline.py).
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cpu_codegen import pipeline
from cpu_codegen.config import Campaign, RunConfig
from cpu_codegen.counts import count_of
from cpu_codegen.deadline import Deadline, deadline
from cpu_codegen.errors import CpuCodegenError, IntegrityError, Interrupted, StoreBusyError, UsageError
from cpu_codegen.group import Group, choose_group, is_group, open_group, refuse_group
from cpu_codegen.inputs import RunInputs, prepare
from cpu_codegen.progress import Progress
from cpu_codegen.run_names import as_slug
from cpu_codegen.session import refuse_other_settings, slug
from cpu_codegen.store import RunFolder

Page = Callable[[Path], None]
"""Writes the page over a folder."""


@dataclass(slots=True)
class Member:
    """One model of a group, with all that its run needs. `entry` is its part of group.json; `error` has ended its part."""

    config: RunConfig
    inputs: RunInputs
    entry: dict[str, Any]
    error: CpuCodegenError | None = None

    @property
    def name(self) -> str:
        """Its run folder's name: unique in the group."""
        return str(self.entry["folder"])

    @property
    def path(self) -> Path:
        """Its run folder."""
        return Path(str(self.config.out))


def run(
    campaign: Campaign, *, progress: Progress, page: Page, argv: Sequence[str] = (), ends: Deadline | None = None
) -> tuple[Path, CpuCodegenError | None]:
    """Runs or resumes what a command asks for: the run's or the group's folder, and the error of the first model that failed.

    `ends` is the command's deadline where it began before this. An error that leaves nothing to show is raised.
    """
    _check(campaign)
    ends = ends or deadline(campaign.max_hours, campaign.until)
    if not _makes_group(campaign):
        config = replace(campaign.run, model=campaign.models[0])
        return pipeline.run(config, progress=progress, argv=argv, deadline=ends), None
    path = choose_group(campaign, _group_slug(campaign.models))
    refuse_group(path, campaign)
    prepared = [(model, prepare(replace(campaign.run, model=model), progress)) for model in campaign.models]
    with open_group(path, campaign, argv=argv) as group, _kept(group):
        members = _members(group, campaign, prepared)
        if ends is not None or campaign.race:
            from cpu_codegen.campaign_rounds import run_rounds

            run_rounds(group, members, campaign, progress=progress, argv=argv, ends=ends, page=page)
        else:
            _one_after_another(group, members, progress=progress, argv=argv, page=page)
        group.save(status=status_of(group))
    errors = [member.error for member in members if member.error is not None]
    if errors and len(errors) == len(members):
        raise errors[0]
    return path, errors[0] if errors else None


def _check(campaign: Campaign) -> None:
    """What no model has to be looked at for."""
    twice = next((name for name in campaign.models if campaign.models.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"-m {twice} stands twice", remedy="each model once; another quantization is alias@quant")
    if (campaign.race or campaign.screen is not None) and not _makes_group(campaign):
        raise UsageError("a race needs two models or more", remedy="-m A -m B --race")
    if campaign.screen is not None and not campaign.race:
        raise UsageError("--screen is a race's first look", remedy=f"--race --screen {campaign.screen}")
    if campaign.run.stability and (campaign.race or campaign.max_hours or campaign.until):
        raise UsageError(
            "--stability keeps to no deadline and runs in no race", remedy="the same command without it first"
        )
    if campaign.run.engine_url is not None and len(campaign.models) > 1:
        raise UsageError("--engine serves one model per command", remedy="one -m; then the next command")


def _makes_group(campaign: Campaign) -> bool:
    out = campaign.run.out
    return len(campaign.models) > 1 or (out is not None and is_group(Path(out)))


def _group_slug(models: Sequence[str]) -> str:
    first = as_slug(Path(models[0]).stem if models[0].endswith(".gguf") else models[0])
    return f"{first}-and-{len(models) - 1}-more"


@contextmanager
def _kept(group: Group) -> Iterator[None]:
    """An interruption or an error of the whole command is noted; what is stored stays."""
    try:
        yield
    except (KeyboardInterrupt, Interrupted) as stop:
        for entry in group.record["models"]:
            entry["status"] = "interrupted" if entry["status"] == "running" else entry["status"]
        group.save(status="interrupted")
        number = stop.signal_number if isinstance(stop, Interrupted) else int(signal.SIGINT)
        raise Interrupted(_how_far(group), remedy="the same command goes on", signal_number=number) from None
    except BaseException:
        with suppress(CpuCodegenError):  # what went wrong first is what is told
            group.save(status="interrupted")
        raise


def _how_far(group: Group) -> str:
    counts = []
    for entry in group.record["models"]:
        kept = sum(1 for _ in RunFolder(group.path / entry["folder"]).read("generations"))
        counts.append(f"{count_of(kept, 'answer')} of {entry['folder']}")
    return f"interrupted: kept in {group.path}: {', '.join(counts) or 'nothing yet'}"


# ── the models ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _members(group: Group, campaign: Campaign, prepared: Sequence[tuple[str, RunInputs]]) -> list[Member]:
    """All models, fetched and checked, none begun; the plan's soonest answers first."""
    found = []
    for model, inputs in prepared:
        entry = group.entry(model, slug(inputs), inputs.model.sha256)
        config = replace(campaign.run, model=model, new=False, out=str(group.path / entry["folder"]))
        member = Member(config, inputs, entry)
        _refuse_early(member)
        found.append(member)
    soonest = by_expected_time(found)
    group.record["order"] = [member.name for member in soonest]
    group.save()
    return soonest


def _refuse_early(member: Member) -> None:
    """Another setting on one of the folders is refused before hours go into the others."""
    folder = RunFolder(member.path)
    if folder.has_manifest:
        refuse_other_settings(member.path, folder.manifest(), member.inputs)


def by_expected_time(members: Sequence[Member]) -> list[Member]:
    """As the plan expects their answers: by seconds where it knows them all, else by size."""
    seconds = [_expected_s(member) for member in members]
    keys = [
        float(member.inputs.model.size_bytes) if None in seconds else (expected or 0.0)
        for member, expected in zip(members, seconds, strict=True)
    ]
    return [member for _, member in sorted(zip(keys, members, strict=True), key=lambda pair: pair[0])]


def _expected_s(member: Member) -> float | None:
    """What the plan says without measuring anything now; None where it does not know."""
    from cpu_codegen.plan.question import question_of
    from cpu_codegen.plan.survey import survey
    from cpu_codegen.progress import Silent

    try:
        (plan,) = survey(question_of(member.config), progress=Silent()).plans
    except CpuCodegenError:
        return None
    return plan.run_s


# ── one after another ────────────────────────────────────────────────────────────────────────────────────────────────


def _one_after_another(
    group: Group, members: Sequence[Member], *, progress: Progress, argv: Sequence[str], page: Page
) -> None:
    for number, member in enumerate(members, start=1):
        progress.say(f"[{number}/{len(members)}] {member.config.model}")
        note(group, member, "running")
        with going_on(group, member, progress):
            pipeline.run_prepared(member.config, member.inputs, progress=progress, argv=argv)
            note(group, member, "finished")
        page(group.path)


@contextmanager
def going_on(group: Group, member: Member, progress: Progress) -> Iterator[None]:
    """An error of this model alone is kept for the end. Interruptions and a folder in use are not of this model alone."""
    try:
        yield
    except (Interrupted, StoreBusyError, IntegrityError, UsageError):
        raise
    except CpuCodegenError as error:
        member.error = error
        note(group, member, "failed", str(error))
        progress.say(f"{member.config.model} failed: {error}; the other models go on")


def note(group: Group, member: Member, status: str, error: str = "") -> None:
    """Writes how a model stands."""
    member.entry.update(status=status, error=error)
    group.save()


def status_of(group: Group) -> str:
    """Of the whole group: `finished` when every model is finished or was stopped by the race."""
    done = all(entry["status"] in ("finished", "stopped") for entry in group.record["models"])
    return "finished" if done else "partial"
