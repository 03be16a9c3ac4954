"""Where a file of the hub lies in the Hugging Face cache, under which names, and the lock that guards it.

`blobs/<etag>` holds the bytes, `snapshots/<commit>/<file>` points to it, `refs/<branch>` names a commit. A file still coming is
`blobs/<etag>.cpu-codegen.part`, a name that no tool takes for a whole file.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from cpu_codegen.errors import MachineError
from cpu_codegen.models.caches import hub_cache, repo_folder
from cpu_codegen.models.hub import RemoteFile
from cpu_codegen.sizes import format_bytes


def blob_path(remote: RemoteFile) -> Path:
    """The bytes of a whole file."""
    return repo_folder(remote.repo) / "blobs" / remote.etag


def part_path(remote: RemoteFile) -> Path:
    """The bytes of a file that is still coming."""
    return blob_path(remote).with_name(f"{remote.etag}.cpu-codegen.part")


def snapshot_path(remote: RemoteFile) -> Path:
    """The name under which every tool finds the file."""
    return repo_folder(remote.repo) / "snapshots" / remote.commit / remote.file


def whole_path(remote: RemoteFile) -> Path | None:
    """Where the bytes lie if they are here: the blob, or on a file system without links the name itself."""
    return next((path for path in (blob_path(remote), snapshot_path(remote)) if path.is_file()), None)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 when it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def link_blob(remote: RemoteFile, revision: str) -> Path:
    """Makes the snapshot's name for a blob, and the reference from a branch to its commit."""
    link, blob = snapshot_path(remote), blob_path(remote)
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.exists():
        link.unlink(missing_ok=True)
        try:
            link.symlink_to(os.path.relpath(blob, link.parent))
        except OSError:  # Windows without the right to make links: the snapshot holds the file, as huggingface-hub does
            os.replace(blob, link)
    if revision != remote.commit:
        reference = repo_folder(remote.repo) / "refs" / (revision or "main")
        reference.parent.mkdir(parents=True, exist_ok=True)
        reference.write_text(remote.commit, encoding="utf-8")
    return link


@contextlib.contextmanager
def blob_lock(repo: str, etag: str, on_wait: Callable[[], None]) -> Iterator[None]:
    """The lock that huggingface-hub takes for the same blob; the system frees it when its holder dies."""
    from filelock import FileLock, Timeout  # comes with huggingface-hub

    folder = hub_cache() / ".locks" / repo_folder(repo).name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(str(folder / f"{etag}.lock"))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            on_wait()
            lock.acquire(poll_interval=0.2)
    except OSError as error:
        raise disk_error(error, folder / "lock") from error
    try:
        yield
    finally:
        lock.release()


def disk_error(error: OSError, part: Path) -> MachineError:
    """What went wrong while `part` was written; the bytes that it holds are kept."""
    if error.errno == errno.EFBIG:
        return MachineError(
            f"no file at {part.parent} may be larger than {format_bytes(size_of(part))}; they are kept",
            remedy="FAT32 ends at 4 GB a file: set HF_HOME to a disk with another file system (or lift ulimit -f)",
        )
    if error.errno in {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}:
        return MachineError(
            f"the disk is full at {part.parent}; {format_bytes(size_of(part))} are kept",
            remedy="free some space, then the same command again; it goes on there",
        )
    return MachineError(f"cannot write {part}: {error.strerror or error}", remedy="check permissions, or set HF_HOME")
