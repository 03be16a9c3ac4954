"""Reads the parts of a GGUF header one after another: numbers, texts, arrays; bounded in time and memory.

Covered: bytes → values, reading ahead in growing steps, every shortage or absurd claim an IntegrityError. Not covered: what the
values mean (gguf_header.py). Arrays stay packed until an element is asked for, so a vocabulary of 150,000 tokens costs one walk
over its lengths.
"""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, overload

from cpu_codegen.errors import IntegrityError, UnavailableError
from cpu_codegen.sizes import format_bytes

MAX_HEADER_BYTES = 256 << 20
MAX_STRING_BYTES = 16 << 20
MAX_NAME_BYTES = 65_535
MAX_ARRAY_DEPTH = 3
MAX_ITEMS = 1 << 22
"""Texts, truth values and inner arrays of one header: each becomes an object here. Real files have less than a million."""

FIRST_READ_BYTES = 256 << 10
MAX_READ_BYTES = 4 << 20

# value types 0–12 of the format: struct code of the fixed-size ones; 8 = string, 9 = array
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class ByteSource(Protocol):
    """Bytes at any offset: a file, or a server that answers range requests."""

    name: str
    size: int

    def read_at(self, offset: int, count: int) -> bytes:
        """`count` bytes from `offset`; fewer only at the end."""


class FileSource:
    """A file on disk; closed after each read, so that nothing is left open."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name
        try:
            self.size = path.stat().st_size
        except OSError as error:
            raise UnavailableError(f"cannot read {path}: {error.strerror}", remedy="check the path") from error

    def read_at(self, offset: int, count: int) -> bytes:
        """Reads a range; UnavailableError when the system refuses."""
        try:
            with self.path.open("rb") as file:
                file.seek(offset)
                return file.read(count)
        except OSError as error:
            raise UnavailableError(f"cannot read {self.path}: {error.strerror}", remedy="check the path") from error


class Strings(Sequence[str]):
    """An array of strings, decoded one by one when asked for."""

    def __init__(self, buffer: bytes, ends: array[int]) -> None:
        self._buffer = buffer
        self._ends = ends

    def __len__(self) -> int:
        return len(self._ends)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(index)
        start = (self._ends[index - 1] if index else 0) + 8
        return self._buffer[start : self._ends[index]].decode("utf-8", errors="replace")

    def __repr__(self) -> str:
        return f"Strings({len(self)})"


class Cursor:
    """Walks the header, reading ahead in growing steps; every shortage is an IntegrityError."""

    def __init__(self, source: ByteSource) -> None:
        self.source = source
        self.buffer = b""
        self.at = 0
        self.step = FIRST_READ_BYTES
        self._items_left = MAX_ITEMS

    def spend(self, items: int) -> None:
        """Books so many objects that are about to be made; IntegrityError when a header wants too many."""
        self._items_left -= items
        if self._items_left < 0:
            raise damaged(self.source, f"its arrays claim over {MAX_ITEMS} items")

    def need(self, count: int) -> None:
        """Makes `count` bytes from here available in the buffer."""
        end = self.at + count
        if end <= len(self.buffer):
            return
        if end > self.source.size:
            raise cut_in_header(self.source)
        if end > MAX_HEADER_BYTES:
            raise damaged(self.source, f"its header claims over {format_bytes(MAX_HEADER_BYTES)}")
        wanted = min(max(end - len(self.buffer), self.step), self.source.size - len(self.buffer))
        self.step = min(self.step * 2, MAX_READ_BYTES)
        more = self.source.read_at(len(self.buffer), wanted)
        self.buffer += more
        if end > len(self.buffer):
            raise cut_in_header(self.source)

    def scalar(self, code: str) -> Any:
        """One little-endian number."""
        count = struct.calcsize("<" + code)
        self.need(count)
        (value,) = struct.unpack_from("<" + code, self.buffer, self.at)
        self.at += count
        return value

    def raw(self, limit: int, what: str) -> bytes:
        """One length-prefixed byte string."""
        length: int = self.scalar("Q")
        if length > limit:
            raise damaged(self.source, f"{what} claims {length} bytes")
        self.need(length)
        self.at += length
        return self.buffer[self.at - length : self.at]


def damaged(source: ByteSource, what: str) -> IntegrityError:
    """The error for a file whose header cannot be true."""
    return IntegrityError(f"{source.name} is damaged: {what}", remedy="fetch the file again")


def cut_in_header(source: ByteSource) -> IntegrityError:
    """The error for a file that ends before its tensor table does."""
    return IntegrityError(
        f"{source.name} ends at {format_bytes(source.size)}, inside its header: the file is cut",
        remedy="cpu-codegen models pull MODEL (resumes), or fetch the file again",
    )


def read_value(cursor: Cursor, kind: int, *, depth: int = 0) -> Any:
    """A value of one of the format's 13 kinds."""
    if kind in _SCALARS:
        return cursor.scalar(_SCALARS[kind])
    if kind == _STRING:
        return cursor.raw(MAX_STRING_BYTES, "a text").decode("utf-8", errors="replace")
    if kind != _ARRAY:
        raise damaged(cursor.source, f"it holds a value of unknown kind {kind}")
    if depth >= MAX_ARRAY_DEPTH:
        raise damaged(cursor.source, f"arrays nest deeper than {MAX_ARRAY_DEPTH}")
    element: int = cursor.scalar("I")
    count: int = cursor.scalar("Q")
    least = struct.calcsize("<" + _SCALARS[element]) if element in _SCALARS else 8 if element == _STRING else 12
    if count * least > cursor.source.size:
        raise damaged(cursor.source, f"an array claims {count} elements")
    if element in _SCALARS:
        return _numbers(cursor, _SCALARS[element], count)
    cursor.spend(count)
    if element == _STRING:
        return _strings(cursor, count)
    return [read_value(cursor, element, depth=depth + 1) for _ in range(count)]


def _numbers(cursor: Cursor, code: str, count: int) -> Sequence[Any]:
    width = struct.calcsize("<" + code)
    cursor.need(count * width)
    data = cursor.buffer[cursor.at : cursor.at + count * width]
    cursor.at += count * width
    if code == "?":
        cursor.spend(count)
        return [byte != 0 for byte in data]
    numbers: array[Any] = array(code)
    if numbers.itemsize != width:  # C's long long and int are 8 and 4 bytes wherever we run, but nothing promises it
        return struct.unpack(f"<{count}{code}", data)
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _strings(cursor: Cursor, count: int) -> Strings:
    """One walk over the lengths; the hot loop of this module, hence its local names."""
    start = cursor.at
    ends: array[int] = array("Q")
    append, unpack, source_size = ends.append, struct.Struct("<Q").unpack_from, cursor.source.size
    at, buffer = start, cursor.buffer
    for _ in range(count):
        if at + 8 > len(buffer):
            cursor.at = at
            cursor.need(8)
            buffer = cursor.buffer
        (length,) = unpack(buffer, at)
        at += 8 + length
        if at > len(buffer):
            if length > MAX_STRING_BYTES or at > source_size:
                raise damaged(cursor.source, f"a token claims {length} bytes")
            cursor.at = at - length
            cursor.need(length)
            buffer = cursor.buffer
        append(at - start)
    cursor.at = at
    return Strings(buffer[start:at], ends)
