"""Reads the header of a GGUF file (version 2 and 3): metadata, tensor table, and how long the file must be.

Covered: files on disk and anything with `read_at` (a header over HTTP ranges costs a few MB, not the file); damaged, cut and
hostile files end in an error with a cause, within bounded time and memory. Not covered: tensor data, big-endian files, writing.

Layout: "GGUF", version u32, tensor count u64, key count u64, the keys and values, the tensor table, padding, tensor data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cpu_codegen.errors import IntegrityError, UsageError
from cpu_codegen.gguf_tensors import TensorInfo, padded, read_row, sized
from cpu_codegen.gguf_types import FILE_TYPES
from cpu_codegen.gguf_values import MAX_NAME_BYTES, ByteSource, Cursor, FileSource, Strings, damaged, read_value
from cpu_codegen.sizes import format_bytes

MAX_KEYS = 65_536
MAX_TENSORS = 131_072
MAX_LAYERS = 4096
"""llama.cpp itself takes 512."""

_COUNTS = (
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "expert_feed_forward_length",
    "vocab_size",
    "expert_count",
    "expert_used_count",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.key_length_mla",
    "attention.key_length_swa",
    "attention.value_length_swa",
    "attention.shared_kv_layers",
    "attention.kv_lora_rank",
    "rope.dimension_count",
    "nextn_predict_layers",
    "ssm.conv_kernel",
    "ssm.inner_size",
    "ssm.state_size",
    "ssm.group_count",
    "shortconv.l_cache",
    "token_shift_count",
    "wkv.head_size",
    "kda.head_dim",
)

_LOOKALIKES = (
    (b"version https://git-lfs", "it is a Git LFS pointer, the real file was not fetched"),
    (b"<!DOCTYPE", "it is a web page"),
    (b"<html", "it is a web page"),
    (b"PK\x03\x04", "it looks like a PyTorch or zip file"),
    (b"lmgg", "it is in GGML's old format"),
    (b"tjgg", "it is in GGML's old format"),
    (b"{", "it looks like JSON"),
)


@dataclass(frozen=True)
class GgufHeader:
    """What a GGUF says of itself. `required_bytes` = the least length of a whole file; `file_bytes` = the length it has."""

    name: str
    version: int
    metadata: dict[str, Any]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    file_bytes: int
    required_bytes: int
    alignment: int = 32
    unknown_types: tuple[str, ...] = ()

    def text(self, key: str) -> str | None:
        """A string value; None when absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, str) else None

    def number(self, key: str) -> int | None:
        """An integer value; None when absent or of another kind."""
        value = self.metadata.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def of_architecture(self, key: str) -> Any:
        """The value of `<architecture>.<key>`, None when absent."""
        return self.metadata.get(f"{self.architecture}.{key}")

    @property
    def architecture(self) -> str | None:
        """general.architecture: llama, qwen2 …"""
        return self.text("general.architecture")

    @property
    def layers(self) -> int | None:
        """Number of blocks."""
        return self.number(f"{self.architecture}.block_count")

    @property
    def context_length(self) -> int | None:
        """Tokens of context that the model was trained for."""
        return self.number(f"{self.architecture}.context_length")

    @property
    def file_type(self) -> str | None:
        """The quantization that llama.cpp names the file by: Q4_K_M …"""
        return FILE_TYPES.get(self.number("general.file_type") or 0) if "general.file_type" in self.metadata else None

    @property
    def chat_template(self) -> str | None:
        """The Jinja text, untrusted; None for a base model."""
        return self.text("tokenizer.chat_template")

    @property
    def vocabulary(self) -> int | None:
        """Number of tokens."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        return len(tokens) if isinstance(tokens, Sequence) else self.number(f"{self.architecture}.vocab_size")

    @property
    def bos_token(self) -> str | None:
        """The text of the token that begins a sequence."""
        return self.token_text(self._special("bos", habit=1))

    @property
    def eos_token(self) -> str | None:
        """The text of the token that ends a sequence."""
        return self.token_text(self._special("eos", habit=2))

    def _special(self, which: str, *, habit: int) -> int | None:
        """The id in the file; without one, llama.cpp's habit for SentencePiece vocabularies ("llama")."""
        identifier = self.number(f"tokenizer.ggml.{which}_token_id")
        if identifier is None and self.text("tokenizer.ggml.model") == "llama":
            return habit
        return identifier

    def token_text(self, token: int | None) -> str | None:
        """The text of a token by its id, as stored; None outside the vocabulary."""
        tokens = self.metadata.get("tokenizer.ggml.tokens")
        if token is None or not isinstance(tokens, Strings) or not 0 <= token < len(tokens):
            return None
        return tokens[token]

    @cached_property
    def parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(tensor.values for tensor in self.tensors)


def read_header(source: str | Path | ByteSource, *, whole: bool = True) -> GgufHeader:
    """The checked header of a GGUF.

    UsageError: not a GGUF, or of another version. IntegrityError: cut or damaged. `whole=False` lets a file pass that is shorter
    than its tensors, for callers that only want the metadata of a download in progress.
    """
    opened = FileSource(Path(source)) if isinstance(source, str | Path) else source
    cursor = Cursor(opened)
    version = _version(cursor)
    tensor_count = _count(cursor, "tensors", MAX_TENSORS)
    key_count = _count(cursor, "keys", MAX_KEYS)
    metadata = _metadata(cursor, key_count)
    alignment = _alignment(opened, metadata)
    _refuse_impossible_counts(opened, metadata)
    rows = [read_row(cursor) for _ in range(tensor_count)]
    data_offset = padded(cursor.at, alignment) if rows else cursor.at
    tensors = sized(opened, rows, data_bytes=opened.size - data_offset, alignment=alignment)
    required = max((data_offset + t.offset + t.bytes for t in tensors), default=data_offset)
    if whole and required > opened.size:
        raise IntegrityError(
            f"{opened.name} ends at {format_bytes(opened.size)} of {format_bytes(required)}: the file is cut",
            remedy="cpu-codegen models pull MODEL (resumes), or fetch the file again",
        )
    return GgufHeader(
        name=opened.name,
        version=version,
        metadata=metadata,
        tensors=tensors,
        data_offset=data_offset,
        file_bytes=opened.size,
        required_bytes=required,
        alignment=alignment,
        unknown_types=tuple(sorted({t.type for t in tensors if t.type.startswith("type ")})),
    )


def _version(cursor: Cursor) -> int:
    source = cursor.source
    if source.size == 0:
        raise IntegrityError(f"{source.name} is empty", remedy="fetch the file again")
    magic = source.read_at(0, 32)
    if magic[:4] != b"GGUF":
        why = next((text for start, text in _LOOKALIKES if magic.startswith(start)), f"it begins with {magic[:4]!r}")
        raise UsageError(f"{source.name} is not a GGUF file: {why}", remedy="-m with a .gguf file, or an alias")
    cursor.at = 4
    version: int = cursor.scalar("I")
    if version in (2, 3):
        return version
    if version & 0xFFFF == 0:
        raise UsageError(f"{source.name} is a big-endian GGUF", remedy="take the little-endian file of that model")
    raise UsageError(
        f"{source.name} is GGUF version {version}; versions 2 and 3 can be read",
        remedy="take a newer file of that model",
    )


def _count(cursor: Cursor, what: str, limit: int) -> int:
    count: int = cursor.scalar("Q")
    if count > limit:
        raise damaged(cursor.source, f"it claims {count} {what}")
    return count


def _metadata(cursor: Cursor, count: int) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for _ in range(count):
        key = cursor.raw(MAX_NAME_BYTES, "a key").decode("utf-8", errors="replace")
        if key in metadata:
            raise damaged(cursor.source, f"key {key!r} stands twice")
        metadata[key] = read_value(cursor, cursor.scalar("I"))
    return metadata


def _alignment(source: ByteSource, metadata: dict[str, Any]) -> int:
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 1 << 20 or alignment & (alignment - 1):
        raise damaged(source, f"alignment {alignment!r} is no power of two")
    return alignment


def _refuse_impossible_counts(source: ByteSource, metadata: dict[str, Any]) -> None:
    """Memory and lists are sized by these numbers: each is a count, or an array with one for each layer."""
    architecture = metadata.get("general.architecture")
    for name in _COUNTS:
        key = f"{architecture}.{name}"
        value = metadata.get(key, 0)
        counts = [value] if isinstance(value, int) else value
        limit = MAX_LAYERS if name == "block_count" else 1 << 32
        is_array = isinstance(counts, Sequence) and not isinstance(counts, str) and len(counts) <= MAX_LAYERS
        if not is_array or not all(isinstance(count, int) and 0 <= count < limit for count in counts):
            raise damaged(source, f"{key} is no number that a model can have")
