"""The names of run folders: of a new one, of those that there are, and what a RUN argument means.

Names begin with the time at which a run was begun, unless `--out` gave another. Not covered: what a folder holds (store.py).
"""

from __future__ import annotations

import difflib
import re
from datetime import UTC, datetime
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.store import MANIFEST

RUNS = Path("runs")
GROUP = "group.json"
_STAMP = "%Y%m%dT%H%M%S"
_STAMPED = re.compile(r"\d{8}T\d{4}(\d\d)?")


def utc_stamp() -> str:
    """Now, as 20261124T0915."""
    return datetime.now(UTC).strftime(_STAMP)


def now_utc() -> str:
    """Now, ISO 8601, seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def as_slug(name: str) -> str:
    """A name as a part of a folder's: lower case, letters, digits, dots and hyphens."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "run"


def new_run_path(slug: str, *, root: Path = RUNS) -> Path:
    """A folder name that is not taken yet."""
    base = root / f"{utc_stamp()}-{slug}"
    path, number = base, 2
    while path.exists():
        path, number = base.with_name(f"{base.name}-{number}"), number + 1
    return path


def list_runs(root: Path = RUNS) -> list[Path]:
    """Run folders and groups under `root`, oldest first."""
    if not root.is_dir():
        return []
    return sorted((path for path in root.iterdir() if _record(path) is not None), key=_age)


def _record(path: Path) -> Path | None:
    """The file that makes a folder a run's or a group's."""
    return next((file for name in (MANIFEST, GROUP) if (file := path / name).is_file()), None)


def _age(path: Path) -> tuple[str, str]:
    """When it was begun, by its name; of a folder that `--out` named, when its record was last written."""
    if stamped := _STAMPED.match(path.name):
        return stamped[0], path.name
    record = _record(path)
    written_s = record.stat().st_mtime if record is not None else 0.0
    return datetime.fromtimestamp(written_s, UTC).strftime(_STAMP), path.name


def find_run(name: str, *, root: Path = RUNS) -> Path:
    """A RUN argument → folder: a path, a name under ./runs, `latest` or `prev`."""
    runs = list_runs(root)
    if name in ("latest", "prev"):
        back = 1 if name == "latest" else 2
        if len(runs) < back:
            raise UsageError(f"there is no {name} run under {root}/", remedy="cpu-codegen demo")
        return runs[-back]
    for path in (Path(name), root / name):
        if _record(path) is not None:
            return path
    near = difflib.get_close_matches(Path(name).name, ["latest", "prev", *(path.name for path in runs)], n=1)
    raise UsageError(
        f"{name} is no run folder",
        remedy=f"{near[0]}, or cpu-codegen runs list" if near else "cpu-codegen runs list, or `latest`",
    )
