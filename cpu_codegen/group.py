"""A group: one folder over the runs of several models, with `group.json` beside their run folders.

Covered: the file (replaced as a whole), the names of the run folders, the lock, which group a command goes on with. Not covered:
the runs themselves (session.py), who runs when (campaign.py).

    group.json    models and their folders, settings, order seed, rounds, race log, status
    report.html   the page over all of them
    <model>/      one run folder per model
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cpu_codegen import __version__
from cpu_codegen.config import Campaign, Settings
from cpu_codegen.config_file import config_record
from cpu_codegen.durable import write_whole
from cpu_codegen.errors import CpuCodegenError, IntegrityError
from cpu_codegen.run_names import GROUP, list_runs, new_run_path, now_utc
from cpu_codegen.schema import SCHEMA_VERSION
from cpu_codegen.store import MANIFEST, RunFolder, plain

UNFINISHED = ("running", "interrupted", "partial")


def is_group(path: Path) -> bool:
    """Whether a folder is a group's."""
    return (path / GROUP).is_file()


def read_group(path: Path) -> dict[str, Any]:
    """The record of a group. IntegrityError where it cannot be read."""
    file = path / GROUP
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise IntegrityError(f"{file} cannot be read: {error}", remedy="restore it from a copy") from error
    if not isinstance(record, dict) or not isinstance(record.get("models"), list):
        raise IntegrityError(f"{file} is no group's record", remedy="restore it from a copy")
    return record


def members(path: Path) -> list[Path]:
    """The run folders of a group that exist, in the order in which their models were named; others found there come last."""
    named = [path / entry["folder"] for entry in read_group(path)["models"]] if is_group(path) else []
    found = _found_in(path)
    return [folder for folder in named if folder in found] + [folder for folder in found if folder not in named]


def _found_in(path: Path) -> list[Path]:
    """The run folders inside a folder, by name."""
    return sorted(manifest.parent for manifest in path.glob(f"*/{MANIFEST}"))


class Group:
    """An open group. `record` is what group.json holds; `save` after a change."""

    def __init__(self, path: Path, record: dict[str, Any]) -> None:
        self.path = path
        self.record = record

    def save(self, **facts: Any) -> None:
        """Sets fields and replaces group.json as a whole."""
        self.record.update(plain(facts))
        write_whole(self.path / GROUP, json.dumps(self.record, indent=1, ensure_ascii=False, allow_nan=False) + "\n")

    def entry(self, model: str, slug: str, sha256: str) -> dict[str, Any]:
        """The model's entry, a new one with a folder name that is not taken where it has none. Does not save."""
        for entry in self.record["models"]:
            if entry["name"] == model:
                found: dict[str, Any] = entry
                return found
        taken = {entry["folder"] for entry in self.record["models"]}
        folder, number = slug, 2
        while folder in taken or (self.path / folder).exists():
            folder, number = f"{slug}-{number}", number + 1
        new = {"name": model, "folder": folder, "sha256": sha256, "status": "waiting", "error": ""}
        self.record["models"].append(new)
        return new


def choose_group(campaign: Campaign, slug: str) -> Path:
    """--out, else the newest unfinished group with the same settings whose models are all asked for again, else a new one."""
    if campaign.run.out is not None:
        return Path(campaign.run.out)
    if not campaign.run.new:
        for path in reversed([path for path in list_runs() if is_group(path)]):
            if _may_go_on(path, campaign):
                return path
    return new_run_path(slug)


def _may_go_on(path: Path, campaign: Campaign) -> bool:
    """A damaged group does not: who names it is told why."""
    try:
        record = read_group(path)
        known = {entry["name"] for entry in record["models"]}
        goes_on = record.get("status") in UNFINISHED and known <= set(campaign.models)
        return goes_on and not other_settings(record, campaign.run.settings)
    except (CpuCodegenError, LookupError, TypeError, AttributeError):
        return False


def refuse_group(path: Path, campaign: Campaign) -> None:
    """IntegrityError for a run folder and for a group with other settings."""
    if (path / MANIFEST).is_file():
        raise IntegrityError(
            f"{path} is the folder of one run and holds no second model",
            remedy="--out another/folder: a group, with one folder per model",
        )
    found = other_settings(read_group(path), campaign.run.settings) if is_group(path) else []
    if found:
        raise IntegrityError(
            f"{path} was made with other settings ({'; '.join(found)})",
            remedy="--out another/folder, or the settings of the first command",
        )


@contextmanager
def open_group(path: Path, campaign: Campaign, *, argv: Sequence[str]) -> Iterator[Group]:
    """The group, locked, this command noted."""
    with RunFolder(path, writable=True):  # its lock is the group's
        group = Group(path, read_group(path) if is_group(path) else new_record(campaign))
        group.record["sessions"].append({"started_utc": now_utc(), "argv": list(argv), "options": options(campaign)})
        group.save(status="running", config=config_record(campaign.run, campaign))
        yield group


def new_record(campaign: Campaign) -> dict[str, Any]:
    """An empty group."""
    return {
        "schema": SCHEMA_VERSION,
        "status": "running",
        "created_utc": now_utc(),
        "cpu_codegen": __version__,
        "settings": plain(campaign.run.settings),
        "order_seed": campaign.run.settings.seed,
        "models": [],
        "order": [],
        "rounds": [],
        "race": None,
        "sessions": [],
    }


def options(campaign: Campaign) -> dict[str, Any]:
    """The free options that concern the group."""
    return {name: getattr(campaign, name) for name in ("max_hours", "until", "race", "screen")}


def other_settings(record: dict[str, Any], settings: Settings) -> list[str]:
    """What the group holds otherwise. A setting that an older version did not know has its default value there."""
    before = {**plain(Settings()), **record.get("settings", {})}
    return [
        f"{name} {before.get(name)}, now {value}"
        for name, value in plain(settings).items()
        if before.get(name) != value
    ]


def run_folders(root: Path) -> list[Path]:
    """Every run folder under `root`, those inside groups too, oldest first; `root` itself may be a run or a group.

    Of a group whose record is damaged, the runs that lie in it.
    """
    if (root / MANIFEST).is_file():
        return [root]
    if is_group(root):
        return _members_or_found(root)
    return [folder for path in list_runs(root) for folder in (_members_or_found(path) if is_group(path) else [path])]


def _members_or_found(path: Path) -> list[Path]:
    try:
        return members(path)
    except (CpuCodegenError, LookupError, TypeError):
        return _found_in(path)
