"""Where the base's log-probabilities lie while other models need them, and how large they are. Pure."""

from __future__ import annotations

from pathlib import Path

BYTES_PER_VALUE = 2


def base_path(folder: Path, key: str) -> Path:
    """The file of one text."""
    return folder / f"{key}.logprobs"


def base_bytes(tokens: int, vocabulary: int) -> int:
    """What so many scored tokens take."""
    return tokens * vocabulary * BYTES_PER_VALUE
