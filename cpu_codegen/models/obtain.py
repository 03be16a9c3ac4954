"""A name → the checked file, fetched when it is not here; told to a run's progress."""

from __future__ import annotations

from pathlib import Path

from cpu_codegen.download import pull
from cpu_codegen.models.hub import is_offline
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.models.transfer import Transfer, Watcher, transfer_note
from cpu_codegen.progress import Progress
from cpu_codegen.registry import is_local, local_file, resolve
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes

HASH_SHOWN_FROM_BYTES = 500_000_000


def obtain(
    name: str, *, progress: Progress, offline: bool = False, models_file: Path | None = None
) -> tuple[ModelSpec, ModelFile]:
    """Resolves a name and brings its file here. Offline, UnavailableError when it is not here."""
    offline = offline or is_offline()
    spec = resolve(name, models_file=models_file, offline=offline)
    if not spec.repo or is_local(spec):
        shown = Hashing(progress)
        model = local_file(spec, progress=shown)
        shown.end()
        return spec, model
    watcher = ProgressWatcher(progress)
    size = f", {format_bytes(spec.size_bytes)}" if spec.size_bytes else ""
    if not offline:
        progress.say(f"{spec.name} is not here{size}; licence {spec.licence or 'unknown'}")
    pulled = pull(spec, offline=offline, watcher=watcher)
    watcher.end()
    return spec, pulled.model


class _Percent:
    """A column of a hundred steps."""

    def __init__(self, progress: Progress, column: str) -> None:
        self._progress, self._column = progress, column
        self._percent: int | None = None

    def to(self, done: int, total: int, note: str) -> None:
        """Up to `done` of `total`."""
        percent = 100 * done // max(total, 1)
        if self._percent is None or percent < self._percent:
            self._progress.begin(self._column, 100, percent)
            self._percent = percent
        for _ in range(percent - self._percent):
            self._progress.advance(note)
        self._percent = percent

    def end(self) -> None:
        """Nothing more comes; without a beginning there is nothing to end."""
        if self._percent is not None:
            self._progress.end()


class ProgressWatcher(Watcher):
    """A download as a column of a run."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._column = progress, _Percent(progress, "download")

    def moved(self, transfer: Transfer) -> None:
        """One more piece."""
        self._column.to(transfer.done_bytes, transfer.total_bytes, transfer_note(transfer))

    def say(self, text: str) -> None:
        """One line above the bar."""
        self._progress.say(text)

    def end(self) -> None:
        """It is here."""
        self._column.end()


class Hashing:
    """The first look at a big file: minutes on a slow disk, so it shows."""

    def __init__(self, progress: Progress) -> None:
        self._column = _Percent(progress, "check")

    def __call__(self, done: int, total: int) -> None:
        """So many bytes are read."""
        if total >= HASH_SHOWN_FROM_BYTES:
            self._column.to(done, total, f"sha256 of {format_bytes(total)}")

    def end(self) -> None:
        """It is read."""
        self._column.end()
