"""sha256 of big files, computed once: remembered by (real path, size, mtime, inode), so a changed file is hashed anew."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from cpu_codegen.errors import UnavailableError
from cpu_codegen.places import cache_dir

CHUNK_BYTES = 4 << 20
MAX_REMEMBERED = 2000

Progress = Callable[[int, int], None]
"""Called with bytes done and bytes in all."""


def file_sha256(path: Path, *, progress: Progress | None = None) -> str:
    """The digest of a file, from memory when the file is as it was."""
    try:
        key = _identity(path)
        known = _remembered().get(key)
        if known:
            return known
        digest = _hash(path, progress)
        if _identity(path) != key:
            raise UnavailableError(
                f"{path} changed while it was read", remedy="wait until it is written, then try again"
            )
    except OSError as error:
        raise UnavailableError(
            f"cannot read {path}: {error.strerror}", remedy="check the path and its permissions"
        ) from error
    remember(path, digest)
    return digest


def hash_file(path: Path, *, progress: Progress | None = None) -> str:
    """The digest of a file, read now. UnavailableError when it cannot be read."""
    try:
        return _hash(path, progress)
    except OSError as error:
        raise UnavailableError(
            f"cannot read {path}: {error.strerror}", remedy="check the path and its permissions"
        ) from error


def _hash(path: Path, progress: Progress | None) -> str:
    seen = hashlib.sha256()
    with path.open("rb") as file:
        total, done = os.fstat(file.fileno()).st_size, 0
        while chunk := file.read(CHUNK_BYTES):
            seen.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done, total)
    return seen.hexdigest()


def remember(path: Path, digest: str) -> None:
    """Notes a digest that was just computed. A cache that cannot be written costs time, nothing else."""
    with contextlib.suppress(OSError):
        known = _remembered()
        known.pop(key := _identity(path), None)
        known[key] = digest
        while len(known) > MAX_REMEMBERED:
            known.pop(next(iter(known)))
        write_atomically(_cache_file(), json.dumps(known, indent=0))


def combined_sha256(digests: tuple[str, ...]) -> str:
    """One digest for a model: its file's own, or for a split GGUF that of the parts' digests, one a line."""
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Temporary file, fsync, rename: a reader sees the old text or the new one."""
    import tempfile  # `models list` answers in 0.2 s, and reads only

    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _identity(path: Path) -> str:
    real = path.resolve()
    facts = real.stat()
    return f"{real}|{facts.st_size}|{facts.st_mtime_ns}|{facts.st_ino}"


def _cache_file() -> Path:
    return cache_dir() / "sha256.json"


def _remembered() -> dict[str, str]:
    try:
        known = json.loads(_cache_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}
