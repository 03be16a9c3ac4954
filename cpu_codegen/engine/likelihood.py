"""Scores given texts in the engine's process, for `ladder`: where a reference's tokens lie, and what the model thinks of each.

The base's pass leaves its log-probabilities in one file a text (written under another name, then renamed); the other models read
those. Logits of at most STEP_BYTES are in memory, never those of a whole text. Not covered: the figures (fidelity/divergence.py).
"""

from __future__ import annotations

import ctypes
import hashlib
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import llama_cpp as L
import numpy as np

from cpu_codegen.engine.backend import UBATCH_TOKENS
from cpu_codegen.engine.binding import Model
from cpu_codegen.engine.context import Context
from cpu_codegen.fidelity.divergence import Likelihood, likelihood
from cpu_codegen.fidelity.kept import BYTES_PER_VALUE, base_path

if TYPE_CHECKING:
    from cpu_codegen.engine.opened import Opened

STEP_BYTES = 48 << 20


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens; those from `first` to before `last` are scored, and they stand for `size` bytes. `why` = why none are."""

    ids: tuple[int, ...]
    first: int = 0
    last: int = 0
    size: int = 0
    why: str = ""

    @property
    def record(self) -> dict[str, Any]:
        """What the parent is told: counts, and a hash of all ids and of where scoring begins."""
        told = f"{self.first} {self.last} {' '.join(map(str, self.ids))}"
        digest = hashlib.sha256(told.encode()).hexdigest()
        return {
            "tokens": len(self.ids),
            "scored": self.last - self.first,
            "bytes": self.size,
            "hash": digest,
            "why": self.why,
        }


def tokens_of(model: Model, item: dict[str, Any]) -> Tokens:
    """The tokens of `before` + `reference` + `after` as one text; scored are those that lie wholly within the reference."""
    ids = model.tokenize(item["before"] + item["reference"] + item["after"], add_special=item["add_special"])
    most = int(L.llama_model_n_ctx_train(model.pointer))
    if len(ids) > most > 0:
        return Tokens(tuple(ids), why=f"{len(ids)} tokens, the model was made for {most}")
    end, start = len(item["after"].encode()), len((item["reference"] + item["after"]).encode())
    first, last, size = _within(model, ids, end, start)
    written = b"".join(map(model.piece, ids[first:]))
    if first == last or not (item["reference"] + item["after"]).encode().endswith(written):
        return Tokens(tuple(ids), why="the tokenizer changes the text")
    return Tokens(tuple(ids), first, last, size)


def _within(model: Model, ids: list[int], end: int, start: int) -> tuple[int, int, int]:
    """The tokens between two places, counted in bytes from the end of the text; and their bytes."""
    first = last = len(ids)
    behind = size = 0
    for index in range(len(ids) - 1, 0, -1):
        length = len(model.piece(ids[index]))
        if behind + length > start or not length:
            break
        if behind < end:
            last = index
        else:
            size += length
        first, behind = index, behind + length
    return first, max(first, last), size


class Texts:
    """The texts of one ladder in one model."""

    def __init__(self, opened: Opened, items: list[dict[str, Any]]) -> None:
        self._opened = opened
        self._found = {item["key"]: tokens_of(opened.model, item) for item in items}

    def records(self) -> dict[str, Any]:
        """Counts and hashes by key, and the size of the vocabulary."""
        return {
            "vocabulary": self._opened.model.vocabulary,
            "texts": {key: tokens.record for key, tokens in self._found.items()},
        }

    def scores(self, folder: Path, *, is_base: bool) -> Iterator[dict[str, Any]]:
        """One event as a text begins and one with its figures, text by text. OSError when the disk is full."""
        rows = max(1, STEP_BYTES // (4 * self._opened.model.vocabulary))
        rows = min(rows, UBATCH_TOKENS)
        longest = max((len(tokens.ids) for tokens in self._found.values()), default=0)
        context = self._opened.context(cells=longest, sequences=1, outputs=rows)
        try:
            for key, tokens in self._found.items():
                yield {"event": "started", "key": key}
                context.clear()
                with _base_file(folder, key, is_base=is_base) as base:
                    found = _score(context, tokens, base, rows)
                yield {"event": "scored", "key": key, **asdict(found)}
        finally:
            context.close()


def _score(context: Context, tokens: Tokens, base: _BaseFile, rows: int) -> Likelihood:
    """Reads up to the token before the first scored one without logits, then `rows` tokens at a time with them."""
    at = tokens.first - 1
    for start in range(0, at, UBATCH_TOKENS):
        part = tokens.ids[start : min(at, start + UBATCH_TOKENS)]
        context.decode(part, range(start, start + len(part)), [0] * len(part), [0] * len(part))
    parts = []
    for start in range(at, tokens.last - 1, rows):
        part = tokens.ids[start : min(tokens.last - 1, start + rows)]
        context.decode(part, range(start, start + len(part)), [0] * len(part), [1] * len(part))
        right = np.array(tokens.ids[start + 1 : start + 1 + len(part)], dtype=np.int32)
        logits = logits_of(context, len(part))
        found, packed = likelihood(logits, right, base.read(logits.size))
        base.write(packed)
        parts.append(found)
    return Likelihood(
        sum(part.nll_nats for part in parts),
        tuple(value for part in parts for value in part.kl_nats),
        sum(part.same_top for part in parts),
    )


def logits_of(context: Context, count: int) -> Any:
    """The last step's logits, a view of llama.cpp's own memory."""
    address = ctypes.cast(L.llama_get_logits(context.pointer), ctypes.POINTER(ctypes.c_float))
    return np.ctypeslib.as_array(address, shape=(count, context.model.vocabulary))


def _base_file(folder: Path, key: str, *, is_base: bool) -> _BaseFile:
    return _BaseFile(base_path(folder, key), is_base=is_base)


class _BaseFile:
    """One text's log-probabilities of the base, written once or read once, front to back."""

    def __init__(self, path: Path, *, is_base: bool) -> None:
        self._path, self._is_base = path, is_base
        self._temporary = path.with_suffix(".part")

    def __enter__(self) -> _BaseFile:
        self._file = open(self._temporary if self._is_base else self._path, "wb" if self._is_base else "rb")
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        is_whole = self._is_base and kind is None
        with self._file:
            if is_whole:
                self._file.flush()
                os.fsync(self._file.fileno())  # else a power cut may leave the name and the size, and zeros
        if is_whole:
            os.replace(self._temporary, self._path)

    def read(self, values: int) -> bytes | None:
        """The next `values` values; None where this is the base itself."""
        return None if self._is_base else self._file.read(values * BYTES_PER_VALUE)

    def write(self, packed: bytes) -> None:
        """The base's next values."""
        if self._is_base:
            self._file.write(packed)
