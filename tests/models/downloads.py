"""The file that the tests of downloads bring here, and a watcher that remembers instead of waiting."""

from __future__ import annotations

from pathlib import Path

from cpu_codegen.models.caches import hub_cache
from cpu_codegen.models.fetch import ATTEMPTS_WITHOUT_PROGRESS
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.models.transfer import Transfer, Watcher
from tests.models.support import sha256, tiny_gguf

REPO, FILE = "user/tiny-GGUF", "tiny-q4_k_m.gguf"
DATA = tiny_gguf(50_000)
NAME = f"hf:{REPO}@main/{FILE}"
DEAD = [0] * ATTEMPTS_WITHOUT_PROGRESS
"""Connections on which nothing comes, until we give up."""

RESOLVED = ModelSpec(NAME, repo=REPO, files=(FILE,), quant="q4_k_m")


class Told(Watcher):
    """Remembers what it is told and does not wait."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.transfers: list[Transfer] = []

    def moved(self, transfer: Transfer) -> None:
        """Bytes came."""
        self.transfers.append(transfer)

    def say(self, text: str) -> None:
        """A line."""
        self.lines.append(text)

    def pause(self, seconds: float) -> None:
        """A wait that is not waited."""
        self.lines.append(f"paused {seconds:g} s")

    @property
    def pauses_s(self) -> list[float]:
        """All waits that were not waited."""
        return [float(line.split()[1]) for line in self.lines if line.startswith("paused ")]


def pinned(**changes: object) -> ModelSpec:
    """A registry entry of the served file."""
    facts: dict[str, object] = {"sha256s": (sha256(DATA),), "sizes": (len(DATA),)}
    return ModelSpec("tiny", repo=REPO, files=(FILE,), **{**facts, **changes})  # type: ignore[arg-type]


def names_in_cache(pattern: str = "*.gguf") -> list[Path]:
    """Files that a tool would take for models."""
    return [path for path in hub_cache().rglob(pattern) if path.is_file()]
