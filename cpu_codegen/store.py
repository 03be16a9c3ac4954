"""The run folder: manifest.json and append-only JSON-lines files, one line per sample.

Covered: durable appends (flush + fsync), a torn last line after kill -9 or a full disk, one writer at a time, strict JSON
(no NaN; lone surrogates escaped; lines split at \\n only), keys. Not covered: what the records mean (schema/, pipeline.py).

    manifest.json       settings, versions, hashes, status; replaced as a whole, never half written
    prompts.jsonl       each rendered prompt once, by hash
    generations.jsonl   raw answers; never two lines for one key
    results.jsonl       verdicts; the later line of one key wins
    efficiency.jsonl    measurements; the later line of one key wins
    reviews.jsonl       points given by people; the later line of one reviewer and answer wins
    fidelity.jsonl      how far quantizations stray from their base (`ladder`); may lie in a folder of its own or a group
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import IO, Any, Literal, Self

from cpu_codegen.durable import disk_error, sync_folder, write_whole
from cpu_codegen.errors import IntegrityError, MachineError, StoreBusyError, UsageError
from cpu_codegen.schema import SCHEMA_VERSION

Column = Literal["prompts", "generations", "results", "efficiency", "reviews", "fidelity"]

KEYED = frozenset({"generations", "results", "efficiency", "fidelity"})
"""Columns whose lines have a `key`."""

MANIFEST = "manifest.json"
LOCK = ".lock"


def plain(value: Any) -> Any:
    """A value as strict JSON can hold it: dataclasses to dicts, enums to their words, NaN and infinities to null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(v) for v in value), key=repr)  # in an order that is the same in every process
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def dump_line(record: Any) -> str:
    """One JSON object as one ASCII line, ending in a newline."""
    return json.dumps(plain(record), ensure_ascii=True, allow_nan=False, separators=(",", ":")) + "\n"


def digest(*parts: object) -> str:
    """Hex sha256 over the JSON of the parts; the one way in which keys are made."""
    text = json.dumps(plain(list(parts)), ensure_ascii=True, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class RunFolder:
    """One run = one model + one set of settings. Open with `writable=True` to append (takes the folder's lock)."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        self._files: dict[Column, IO[bytes]] = {}
        self._lock: IO[str] | None = None
        if writable:
            self._make()
            self._take_lock()

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _make(self) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise disk_error(self.path, error) from error

    def _take_lock(self) -> None:
        try:
            self._lock = (self.path / LOCK).open("a+", encoding="utf-8")
            is_ours = _lock_exclusively(self._lock)
        except OSError as error:
            self.close()
            raise disk_error(self.path / LOCK, error) from error
        if not is_ours:
            self.close()
            raise StoreBusyError(
                f"{self.path} is in use by another cpu-codegen", remedy="wait for it to end, or --out another/folder"
            )

    def close(self) -> None:
        """Closes the files and gives the lock back."""
        for file in self._files.values():
            file.close()
        self._files.clear()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── manifest ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_manifest(self) -> bool:
        """True once a run was begun here."""
        return (self.path / MANIFEST).is_file()

    def manifest(self) -> dict[str, Any]:
        """The manifest; UsageError where there is none, IntegrityError where it is no JSON object."""
        path = self.path / MANIFEST
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise UsageError(f"{self.path} is no run folder", remedy="cpu-codegen runs list") from None
        except (OSError, ValueError) as error:
            raise IntegrityError(f"{path} cannot be read: {error}", remedy="restore it from a copy") from error
        if not isinstance(value, dict):
            raise IntegrityError(f"{path} is no JSON object", remedy="restore it from a copy")
        return value

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replaces the manifest as a whole."""
        write_whole(
            self.path / MANIFEST, json.dumps(plain(manifest), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
        )

    # ── columns ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _column_path(self, column: Column) -> Path:
        return self.path / f"{column}.jsonl"

    def append(self, column: Column, record: Any) -> None:
        """Adds one line and makes it durable. After a failed write the file is as it was before."""
        file = self._files.get(column)
        if file is None:
            file = self._files[column] = self._open_for_append(column)
        line = {"schema": SCHEMA_VERSION, **plain(record)}
        before = file.seek(0, os.SEEK_END)
        try:
            _write_all(file, dump_line(line).encode("ascii"))
            os.fsync(file.fileno())
        except OSError as error:
            with contextlib.suppress(OSError):
                file.truncate(before)
            raise disk_error(self._column_path(column), error) from error

    def _open_for_append(self, column: Column) -> IO[bytes]:
        path = self._column_path(column)
        try:
            is_new = not path.exists()
            file = path.open("a+b", buffering=0)
            if is_new:
                sync_folder(self.path)
            whole = _length_of_whole_lines(file)
            if whole < file.seek(0, os.SEEK_END):
                file.truncate(whole)
        except OSError as error:
            raise disk_error(path, error) from error
        return file

    def read(self, column: Column) -> Iterator[dict[str, Any]]:
        """All whole records, in order. A torn last line is passed over; damage before it is an IntegrityError."""
        path = self._column_path(column)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return
        except OSError as error:
            raise MachineError(
                f"cannot read {path}: {error.strerror or error}", remedy="give yourself the right to read it"
            ) from error
        for number, line in enumerate(data.split(b"\n")[:-1], start=1):
            try:
                record = _record(line, is_keyed=column in KEYED)
            except (ValueError, RecursionError) as error:
                raise IntegrityError(
                    f"{path}:{number}: damaged line ({error})",
                    remedy=f"delete line {number}; the same command redoes it",
                ) from error
            if record.get("schema", SCHEMA_VERSION) > SCHEMA_VERSION:
                raise IntegrityError(
                    f"{path}:{number}: written by a newer cpu-codegen", remedy="pip install -U cpu-codegen"
                )
            yield record

    def by_key(self, column: Column) -> dict[str, dict[str, Any]]:
        """Records by `key`; the later line of one key wins."""
        return {record["key"]: record for record in self.read(column)}


def _record(line: bytes, *, is_keyed: bool) -> dict[str, Any]:
    """ValueError where the line is no record of ours."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise ValueError("not an object")
    if not isinstance(record.get("schema", SCHEMA_VERSION), int):
        raise ValueError("no schema version")
    if is_keyed and not isinstance(record.get("key"), str):
        raise ValueError("no key")
    return record


def _write_all(file: IO[bytes], data: bytes) -> None:
    """A raw write may take only a part (a disk that fills up in the middle of a line): go on until all or an error."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def _length_of_whole_lines(file: IO[bytes]) -> int:
    """Bytes up to and with the last newline."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        position = file.read(end - start).rfind(b"\n")
        if position >= 0:
            return start + position + 1
        end = start
    return 0


def _lock_exclusively(handle: IO[str]) -> bool:
    """Takes a lock that dies with this process; False when another process has it. OSError where there are no locks."""
    if sys.platform == "win32":
        import msvcrt

        try:
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
