"""Data sets as their publishers publish them: fetched once, checked by sha256 at every use, kept in the user's cache.

CPU_CODEGEN_DATASETS names a folder with the same files, for machines without internet. Not covered: what is in them.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.errors import IntegrityError, MachineError, UnavailableError
from cpu_codegen.places import cache_dir

MIRROR = "CPU_CODEGEN_DATASETS"
TIMEOUT_S = 60.0
_MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class DataSet:
    """One published file."""

    file: str
    url: str
    sha256: str
    licence: str


HUMANEVAL = DataSet(
    "HumanEval.jsonl.gz",
    "https://raw.githubusercontent.com/openai/human-eval/master/data/HumanEval.jsonl.gz",
    "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef",
    "MIT",
)
HUMANEVAL_PLUS = DataSet(  # v0.1.10
    "HumanEvalPlus.jsonl.gz",
    "https://github.com/evalplus/humanevalplus_release/releases/download/v0.1.10/HumanEvalPlus.jsonl.gz",
    "272720b90ac375502c8ed23cd791c2a93dfb22a911641a494da74a426c09f101",
    "Apache-2.0",
)
MBPP_PLUS = DataSet(  # v0.2.0
    "MbppPlus.jsonl.gz",
    "https://github.com/evalplus/mbppplus_release/releases/download/v0.2.0/MbppPlus.jsonl.gz",
    "af43697e8791c4c149bdfd6b489d8b5412507551ac20e28a439f650b8225db63",
    "Apache-2.0",
)


def records(data_set: DataSet, *, offline: bool = False) -> Iterator[bytes]:
    """The lines of a data set, one record each."""
    text = gzip.decompress(data(data_set, offline=offline))
    return (line for line in text.split(b"\n") if line.strip())


def data(data_set: DataSet, *, offline: bool = False) -> bytes:
    """The published file: from the mirror, else the cache, else the network. Raises IntegrityError for another file."""
    mirror = os.environ.get(MIRROR)
    if mirror:
        return _from_mirror(data_set, Path(mirror))
    path = cache_dir() / "datasets" / data_set.file
    if path.is_file():
        return _checked(data_set, path.read_bytes(), str(path), f"delete {path}; it is then fetched again")
    if offline:
        raise UnavailableError(
            f"{data_set.file} is not on this machine, and this is offline",
            remedy=f"drop --offline, or {MIRROR}=DIR with {data_set.file} in it",
        )
    fetched = _checked(data_set, _fetch(data_set), data_set.url, f"{MIRROR}=DIR with the file of that digest in it")
    _keep(path, fetched)
    return fetched


def _from_mirror(data_set: DataSet, folder: Path) -> bytes:
    path = folder / data_set.file
    try:
        found = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            f"{MIRROR} names {folder}, but {data_set.file} cannot be read there ({error.strerror})",
            remedy=f"put {data_set.url} there, or unset {MIRROR}",
        ) from error
    return _checked(data_set, found, str(path), f"put the file of {data_set.url} there, or unset {MIRROR}")


def _checked(data_set: DataSet, found: bytes, where: str, remedy: str) -> bytes:
    digest = hashlib.sha256(found).hexdigest()
    if digest != data_set.sha256:
        raise IntegrityError(f"{where} has sha256 {digest[:12]}…, not {data_set.sha256[:12]}…", remedy=remedy)
    return found


def _fetch(data_set: DataSet) -> bytes:
    try:
        with urllib.request.urlopen(data_set.url, timeout=TIMEOUT_S) as response:
            found: bytes = response.read(_MAX_BYTES)
            return found
    except (urllib.error.URLError, OSError) as error:
        raise UnavailableError(
            f"cannot fetch {data_set.url}: {getattr(error, 'reason', error)}",
            remedy=f"try again, or {MIRROR}=DIR with {data_set.file} in it",
        ) from error


def _keep(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise MachineError(
            f"cannot write {path}: {error.strerror}", remedy="free some space, or set XDG_CACHE_HOME"
        ) from error
