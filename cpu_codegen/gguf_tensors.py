"""The tensor table of a GGUF header: rows, the bytes of each tensor, and that they lie where llama.cpp demands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from cpu_codegen.gguf_types import TENSOR_TYPES, TensorType
from cpu_codegen.gguf_values import MAX_NAME_BYTES, ByteSource, Cursor, damaged

MAX_DIMENSIONS = 4


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One row of the tensor table. `shape` as stored (fastest dimension first); `offset` counts from the tensor data."""

    name: str
    shape: tuple[int, ...]
    type: str
    offset: int
    bytes: int

    @property
    def values(self) -> int:
        """How many numbers it holds."""
        product = 1
        for length in self.shape:
            product *= length
        return product


@dataclass(frozen=True, slots=True)
class Row:
    """A row as the file holds it."""

    name: str
    shape: tuple[int, ...]
    type_id: int
    offset: int


def read_row(cursor: Cursor) -> Row:
    """The next row of the table."""
    name = cursor.raw(MAX_NAME_BYTES, "a tensor's name").decode("utf-8", errors="replace")
    dimensions: int = cursor.scalar("I")
    if dimensions > MAX_DIMENSIONS:
        raise damaged(cursor.source, f"tensor {name!r} claims {dimensions} dimensions")
    shape = tuple(int(cursor.scalar("Q")) for _ in range(dimensions))
    return Row(name, shape, cursor.scalar("I"), cursor.scalar("Q"))


def sized(source: ByteSource, rows: list[Row], *, data_bytes: int, alignment: int) -> tuple[TensorInfo, ...]:
    """Rows with their bytes. As llama.cpp demands, each tensor begins where the one before it ends, padded."""
    if len({row.name for row in rows}) != len(rows):
        raise damaged(source, "two tensors have one name")
    tensors: list[TensorInfo] = []
    expected = 0
    for row, following in zip_longest(rows, rows[1:]):
        if row.offset != expected:
            raise damaged(source, f"tensor {row.name!r} lies at offset {row.offset}, where {expected} is possible")
        kind = TENSOR_TYPES.get(row.type_id)
        if kind is not None and kind.block_bytes:
            size = _tensor_bytes(source, row, kind)
            expected = padded(row.offset + size, alignment)
        else:  # a type of a later llama.cpp: its size follows from where the next tensor begins
            expected = following.offset if following else max(data_bytes, row.offset)
            size = max(expected - row.offset, 0)
        tensors.append(TensorInfo(row.name, row.shape, _type_name(row.type_id), row.offset, size))
    return tuple(tensors)


def padded(count: int, alignment: int) -> int:
    """`count` rounded up to a multiple of `alignment`."""
    return (count + alignment - 1) // alignment * alignment


def _type_name(type_id: int) -> str:
    kind = TENSOR_TYPES.get(type_id)
    return kind.name if kind is not None else f"type {type_id}"


def _tensor_bytes(source: ByteSource, row: Row, kind: TensorType) -> int:
    values = 1
    for length in row.shape:
        values *= length
    if values >= 1 << 60 or (row.shape and row.shape[0] % kind.block_values):
        raise damaged(source, f"tensor {row.name!r} of type {kind.name} has an impossible shape {list(row.shape)}")
    return values // kind.block_values * kind.block_bytes
