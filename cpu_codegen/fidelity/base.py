"""The files of one ladder: fetched before anything is loaded, the base chosen, and all of them checked to speak the same tokens.

The base is the largest file at hand that fits this machine: of those named, and of the registry's other files of the same model
that lie here already. `--base` names it instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.engine.room import OVERHEAD_BYTES
from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.gguf_header import GgufHeader, read_header
from cpu_codegen.machine import fingerprint
from cpu_codegen.models.catalogue import load_catalogue
from cpu_codegen.models.obtain import obtain
from cpu_codegen.models.quants import quant_of
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.progress import Progress
from cpu_codegen.registry import is_local, local_file, local_paths
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes
from cpu_codegen.store import digest

_SHAPE = ("block_count", "embedding_length", "feed_forward_length")


@dataclass(frozen=True, slots=True)
class Rung:
    """One file of the ladder, here and checked."""

    spec: ModelSpec
    file: ModelFile
    header: GgufHeader

    @property
    def name(self) -> str:
        """`alias@quant`, or the file's name."""
        file = self.file
        return f"{file.alias}@{file.quant}" if file.alias and file.quant else Path(file.path).name

    @property
    def quant(self) -> str:
        """In lower case; "" where no name says it."""
        return (self.file.quant or quant_of(Path(self.file.path).name)).lower()


@dataclass(frozen=True, slots=True)
class Rungs:
    """The base, and the others from the largest file to the smallest."""

    base: Rung
    others: tuple[Rung, ...]
    vocabulary_hash: str


def gather(
    names: Sequence[str],
    *,
    base: str | None,
    progress: Progress,
    offline: bool = False,
    models_file: Path | None = None,
) -> Rungs:
    """Resolves and fetches all files and chooses the base. UsageError where they are not of one model and vocabulary."""

    def here(name: str) -> Rung:
        spec, file = obtain(name, progress=progress, offline=offline, models_file=models_file)
        return Rung(spec, file, read_header(Path(file.path)))

    found = list({rung.file.sha256: rung for rung in map(here, dict.fromkeys(names))}.values())
    available = fingerprint().ram_available_bytes
    for rung in found:
        if not fits(rung.file.size_bytes, available):
            raise _too_big(rung, available)
    chosen = here(base) if base else _largest(found, available, models_file)
    if not fits(chosen.file.size_bytes, available):
        raise _too_big(chosen, available)
    others = [rung for rung in found if rung.file.sha256 != chosen.file.sha256]
    if not others:
        raise UsageError("a ladder needs two files of one model", remedy="-m MODEL@q8_0 -m MODEL@q4_k_m")
    for rung in others:
        _require_same(chosen, rung)
    ordered = sorted(others, key=lambda rung: -rung.file.size_bytes)
    return Rungs(chosen, tuple(ordered), vocabulary_hash(chosen.header))


def fits(size_bytes: int, available_bytes: int | None) -> bool:
    """Whether a file can be loaded now, by the engine's own rule (room.py)."""
    return available_bytes is None or size_bytes + OVERHEAD_BYTES <= available_bytes


def _too_big(rung: Rung, available: int | None) -> MachineError:
    return MachineError(
        f"{rung.name} ({format_bytes(rung.file.size_bytes)}) does not fit this machine "
        f"({format_bytes(available or 0)} available)",
        remedy="leave it out, or close other programs",
    )


def _largest(found: Sequence[Rung], available: int | None, models_file: Path | None) -> Rung:
    """The largest of the files named and of the registry's other files of these models that are here and fit."""
    largest = max(found, key=lambda rung: rung.file.size_bytes)
    catalogue = load_catalogue(models_file)
    for alias in dict.fromkeys(rung.file.alias for rung in found if rung.file.alias in catalogue.models):
        for spec in catalogue.models[alias].values():
            size = sum(path.stat().st_size for path in local_paths(spec)) if is_local(spec) else 0
            if size > largest.file.size_bytes and fits(size, available):
                file = local_file(spec)
                largest = Rung(spec, file, read_header(Path(file.path)))
    return largest


def vocabulary_hash(header: GgufHeader) -> str:
    """A hash of the kind of tokenizer and of all tokens in their order."""
    names = ("tokenizer.ggml.model", "tokenizer.ggml.tokens")
    return digest(*(_plain(header.metadata.get(name)) for name in names))


def _plain(value: object) -> object:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | bytes) else value


def _require_same(base: Rung, other: Rung) -> None:
    if vocabulary_hash(base.header) != vocabulary_hash(other.header):
        raise UsageError(
            f"{other.name} has another vocabulary than {base.name}: they cannot share a table",
            remedy="one ladder holds quantizations of one model",
        )
    shapes = [(r.header.architecture, *(r.header.of_architecture(name) for name in _SHAPE)) for r in (base, other)]
    if shapes[0] != shapes[1]:
        raise UsageError(
            f"{other.name} is another model than {base.name}, no quantization of it",
            remedy="one ladder holds quantizations of one model; compare runs of different models",
        )
