"""What was read out of run folders, kept by their files' times and lengths: folders hold megabytes, answers must come at once.

Covered: keeping small records of many folders, of several working directories side by side. Not covered: what is read (the caller's
function). A cache that is damaged or cannot be written costs time, nothing else.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.places import cache_dir
from cpu_codegen.store import digest

MOST_KEPT = 2000


def noted(
    name: str, version: int, folders: Iterable[Path], files: Sequence[str], read: Callable[[Path], Any]
) -> list[Any]:
    """What `read` gives for each folder that has all `files`, as JSON; None for a damaged folder.

    `name` is the cache's; `version` of the records: another one is read anew.
    """
    stored = _load(name, version)
    seen: dict[str, Any] = {}
    for folder in folders:
        identity = _identity(folder, files)
        if identity is not None:
            seen[identity] = stored[identity] if identity in stored else _tried(read, folder)
    if seen.keys() - stored.keys():
        others = {key: value for key, value in stored.items() if key not in seen}
        _store(name, version, dict([*others.items(), *seen.items()][-MOST_KEPT:]))
    return list(seen.values())


def _tried(read: Callable[[Path], Any], folder: Path) -> Any:
    with contextlib.suppress(CpuCodegenError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return read(folder)
    return None


def _identity(folder: Path, files: Sequence[str]) -> str | None:
    """A name that changes when one of the files does; None where one is absent."""
    try:
        facts = [(folder / name).stat() for name in files]
    except OSError:
        return None
    return digest(str(folder.resolve()), [(fact.st_mtime_ns, fact.st_size) for fact in facts])


def _load(name: str, version: int) -> dict[str, Any]:
    try:
        stored = json.loads((cache_dir() / name).read_text(encoding="utf-8"))
        return dict(stored["folders"]) if stored["format"] == version else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _store(name: str, version: int, folders: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        write_atomically(cache_dir() / name, json.dumps({"format": version, "folders": folders}))
