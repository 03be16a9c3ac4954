"""What we downloaded ourselves: `models rm` deletes that and nothing else, and an unpinned file is recognised when it comes again.

One JSON file in the user's data folder, replaced atomically under a lock. Losing it costs no model, only the right to delete.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from cpu_codegen.errors import IntegrityError, MachineError
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.places import data_dir

LOCK_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class Download:
    """One file that we fetched or are fetching. `blob` holds the bytes, `link` is the name in the cache that points to it."""

    repo: str
    file: str
    commit: str
    sha256: str
    size_bytes: int
    blob: str
    part: str
    link: str
    state: str  # partial, whole
    pinned: bool
    utc: str


def ledger_file() -> Path:
    """Where the ledger lies."""
    return data_dir() / "downloads.json"


def downloads() -> list[Download]:
    """All entries, the oldest first. IntegrityError when the file is damaged: then nothing may be deleted on its word."""
    path = ledger_file()
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        names = {part.name for part in fields(Download)}
        return [Download(**{name: record[name] for name in names}) for record in records]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise IntegrityError(
            f"the ledger of downloads {path} cannot be read: {error}", remedy=f"move {path} away; models stay usable"
        ) from error


def record(entry: Download) -> None:
    """Adds an entry, in place of an older one of the same blob name."""
    with _locked():
        others = [old for old in downloads() if (old.blob, old.link) != (entry.blob, entry.link)]
        _write([*others, entry])


def forget(entries: list[Download]) -> None:
    """Takes entries out."""
    with _locked():
        _write([old for old in downloads() if old not in entries])


def _write(entries: list[Download]) -> None:
    write_atomically(ledger_file(), json.dumps([asdict(entry) for entry in entries], indent=1))


@contextmanager
def _locked() -> Iterator[None]:
    """MachineError when the ledger cannot be written, or another process keeps it."""
    from filelock import FileLock, Timeout  # comes with huggingface-hub, which locks its cache by it

    path = ledger_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock", timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise MachineError(
            f"another process keeps {path}.lock", remedy="the same command again when it has ended"
        ) from error
    except OSError as error:
        raise MachineError(
            f"cannot write {path}: {error.strerror or error}", remedy="check permissions, or set XDG_DATA_HOME"
        ) from error
