"""`models rm`: deletes what our ledger says that we downloaded, and nothing else.

A blob in the Hugging Face cache may bear several names; when it goes, the names that would point to nothing go with it.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.models.layout import blob_lock, size_of
from cpu_codegen.models.ledger import Download, downloads, forget
from cpu_codegen.models.spec import ModelSpec


def remove(spec: ModelSpec, *, dry_run: bool = False) -> int:
    """Bytes freed. UnavailableError when none of it came through us."""
    entries = [entry for entry in downloads() if entry.repo == spec.repo and entry.file in spec.files]
    if not spec.repo or not entries:
        raise UnavailableError(
            f"{spec.name} was not downloaded by cpu-codegen: nothing is deleted",
            remedy="cpu-codegen models path MODEL shows where it lies; delete it with the tool that brought it",
        )
    freed = sum(_occupied(entry) for entry in entries)
    if not dry_run:
        for entry in entries:
            _delete(entry)
        forget(entries)
    return freed


def _occupied(entry: Download) -> int:
    blob, link = size_of(Path(entry.blob)), Path(entry.link)
    copy = 0 if blob or link.is_symlink() else size_of(link)
    return blob + copy + size_of(Path(entry.part))


def _delete(entry: Download) -> None:
    """Under the lock of downloads: what is just coming is waited for, never torn."""
    blob, link, part = Path(entry.blob), Path(entry.link), Path(entry.part)
    repo = _repo_folder(entry)
    with blob_lock(entry.repo, blob.name, lambda: None):
        for path in (part, link, blob):
            path.unlink(missing_ok=True)
        for name in (repo / "snapshots").rglob("*"):
            if name.is_symlink() and not name.exists():
                name.unlink(missing_ok=True)
    for folder in sorted((repo / "snapshots").rglob("*"), reverse=True):
        with contextlib.suppress(OSError):  # rmdir takes empty folders only
            folder.rmdir()


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
