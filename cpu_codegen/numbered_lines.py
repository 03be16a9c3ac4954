"""A file of JSON lines, read one after the other, each with its number, so that an error can name line and remedy.

Covered: gzip (by its first bytes), a byte order mark, blank lines, lines that are too long, not UTF-8, no JSON object; what can be
read only once (a pipe) is kept in a temporary file meanwhile. Not covered: what a record means.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import shutil
import stat
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, NoReturn

from cpu_codegen.errors import UsageError

_GZIP = b"\x1f\x8b"
_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file. `shape`: what belongs there, for remedies."""

    file: str
    number: int
    data: bytes
    shape: str

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"

    def refuse(self, what: str, remedy: str) -> NoReturn:
        """Raises UsageError."""
        raise UsageError(f"{self}: {what}", remedy=remedy)

    def record(self) -> dict[str, Any]:
        """The JSON object that the line is. Raises UsageError."""
        try:
            record = json.loads(self._text())
        except (ValueError, RecursionError) as error:
            self._refuse_json(error)
        if not isinstance(record, dict):
            self.refuse("no JSON object", f"each line is {self.shape}")
        return record

    def _text(self) -> str:
        if self.number == 1 and self.data.startswith(_UTF_16):
            self.refuse("UTF-16, not UTF-8", f"iconv -f UTF-16 -t UTF-8 {self.file}")
        if b"\0" in self.data:
            self.refuse("a NUL byte", f"write line {self.number} again as JSON in UTF-8, or delete it")
        try:
            return self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.refuse(f"not UTF-8 (byte {error.start + 1})", f"write line {self.number} again as UTF-8, or delete it")

    def _refuse_json(self, error: ValueError | RecursionError) -> NoReturn:
        if self.data.strip() in (b"{", b"["):
            self.refuse(
                "not JSON: one record over several lines", f"jq -c . {self.file} writes one a line: {self.shape}"
            )
        why = f"{error.msg}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)
        torn = "" if self.data.endswith(b"\n") else "; the file ends in the middle of it"
        self.refuse(f"not JSON ({why}){torn}", f"write line {self.number} again, or delete it: {self.shape}")


def numbered_lines(path: Path, *, max_bytes: int, shape: str, name: str = "") -> Iterator[Line]:
    """The lines that hold something, without the mark of the first. Raises UsageError; `name` is how it calls the file.

    A line that is too long ends the reading: what follows cannot be told apart.
    """
    name, number = name or str(path), 0
    with _opened(path, name, shape) as file:
        while True:
            number += 1
            try:
                data = file.readline(max_bytes + 1)
            except (OSError, EOFError, zlib.error) as error:
                Line(name, number, b"", shape).refuse(f"cannot be read ({error})", "write the file again")
            if not data:
                return
            line = Line(name, number, data.removeprefix(_MARK) if number == 1 else data, shape)
            if len(data) > max_bytes:
                line.refuse(f"over {max_bytes >> 20} MiB in one line", f"delete line {number}; each line is {shape}")
            if line.data.strip():
                yield line


@contextlib.contextmanager
def _opened(path: Path, name: str, shape: str) -> Iterator[IO[bytes]]:
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", remedy=f"a file of JSON lines: {shape}") from error
    with raw:
        if raw.peek(len(_GZIP)).startswith(_GZIP):
            with gzip.open(raw) as unpacked:
                yield unpacked  # type: ignore[misc]  # it reads bytes, though typeshed gives it another base
        else:
            yield raw


def can_be_read_once_only(path: Path) -> bool:
    """True for pipes and terminals: /dev/stdin, /dev/fd/63."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


@contextlib.contextmanager
def kept(path: Path) -> Iterator[Path]:
    """A temporary file with all that the pipe gives, for as long as it is needed. Raises UsageError."""
    with tempfile.TemporaryDirectory(prefix="cpu-codegen-") as folder:
        copy = Path(folder) / "lines"
        try:
            with path.open("rb") as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
        except OSError as error:
            raise UsageError(f"cannot read {path}: {error.strerror}", remedy="write it to a file first") from error
        yield copy
