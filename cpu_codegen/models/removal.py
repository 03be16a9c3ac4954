"""`models rm`: deletes what our ledger says that we downloaded, and nothing else.

A blob in the Hugging Face cache may bear several names; when it goes, the names that would point to nothing go with it.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.models.layout import blob_lock, size_of
from cpu_codegen.models.ledger import Download, downloads, forget
from cpu_codegen.models.spec import ModelSpec

_COMMIT = re.compile(r"[0-9a-f]{7,40}")


def remove(spec: ModelSpec, *, dry_run: bool = False) -> int:
    """Bytes freed. UnavailableError when none of it came through us."""
    booked = downloads()
    entries = [entry for entry in booked if _is_meant(entry, spec)]
    if not spec.repo or not entries:
        raise UnavailableError(
            f"{spec.name} was not downloaded by cpu-codegen: nothing is deleted",
            remedy="cpu-codegen models path MODEL shows where it lies; delete it with the tool that brought it",
        )
    going = {path for entry in entries for path in _files(entry)}
    freed = sum(size_of(path) for path in going if not path.is_symlink())
    if not dry_run:
        for entry in entries:
            try:
                _delete(entry)
            except OSError as error:
                raise MachineError(
                    f"cannot delete {error.filename or entry.blob}: {error.strerror or error}",
                    remedy="check permissions, then the same command again",
                ) from error
        forget([entry for entry in booked if Path(entry.blob) in going or entry in entries])
    return freed


def _is_meant(entry: Download, spec: ModelSpec) -> bool:
    """The same file of the same repo; of a pinned digest or commit no other one's."""
    if entry.repo != spec.repo or entry.file not in spec.files:
        return False
    pinned = spec.sha256s[spec.files.index(entry.file)] if spec.sha256s else ""
    if pinned and entry.sha256:
        return entry.sha256 == pinned
    return not _COMMIT.fullmatch(spec.revision) or entry.commit.startswith(spec.revision)


def _files(entry: Download) -> tuple[Path, ...]:
    """What of an entry is ours: its part; the blob that the part became, not one that another tool fetched beside the part."""
    blob, link, part = Path(entry.blob), Path(entry.link), Path(entry.part)
    is_foreign = entry.state != "whole" and part.exists()
    return (part,) if is_foreign else (part, link, blob)


def _delete(entry: Download) -> None:
    """Under the lock of downloads: what is just coming is waited for, never torn. A blob's other names go with it."""
    blob = Path(entry.blob)
    repo = _repo_folder(entry)
    snapshots = repo / "snapshots"
    with blob_lock(entry.repo, blob.name, lambda: None):
        going = _files(entry)
        names = [name for name in snapshots.rglob("*") if name.is_symlink() and _points_to(name, blob)]
        for path in (*going, *(names if blob in going else ())):
            path.unlink(missing_ok=True)
    _remove_empty(snapshots)
    if not (snapshots / entry.commit).exists():
        _remove_branches(repo / "refs", entry.commit)


def _remove_branches(references: Path, commit: str) -> None:
    """Those that name a commit of which nothing is left: huggingface-hub takes such a cache for a damaged one."""
    for reference in references.rglob("*"):
        if reference.is_file() and size_of(reference) == len(commit) and reference.read_bytes() == commit.encode():
            reference.unlink(missing_ok=True)


def _remove_empty(top: Path) -> None:
    """All folders below that hold nothing, and itself."""
    for folder in sorted((path for path in (top, *top.rglob("*")) if not path.is_symlink()), reverse=True):
        with contextlib.suppress(OSError):  # rmdir takes empty folders only, and no files
            folder.rmdir()


def _points_to(name: Path, blob: Path) -> bool:
    with contextlib.suppress(OSError, RuntimeError):
        return name.resolve() == blob.resolve()
    return False


def _repo_folder(entry: Download) -> Path:
    """The repo's folder in the cache; IntegrityError for a ledger that names files elsewhere."""
    blob = Path(entry.blob)
    repo = blob.parent.parent
    inside = all(Path(name).is_relative_to(repo) and ".." not in Path(name).parts for name in (entry.link, entry.part))
    if blob.parent.name != "blobs" or repo.name != "models--" + entry.repo.replace("/", "--") or not inside:
        raise IntegrityError(
            f"the ledger names {blob}, which is no file of the cache: nothing is deleted",
            remedy="delete it by hand if it should go",
        )
    return repo
