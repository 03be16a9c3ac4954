"""Split GGUFs: `name-00001-of-00003.gguf` stands for all three parts; llama.cpp is given the first."""

from __future__ import annotations

import re

_PART = re.compile(r"-(\d{5})-of-(\d{5})\.gguf$", re.IGNORECASE)


def split_parts(name: str) -> tuple[str, ...]:
    """All parts of the file that `name` is a part of, in order; just `name` when it is whole."""
    match = _PART.search(name)
    if match is None or not 1 <= int(match[1]) <= int(match[2]) <= 999:
        return (name,)
    stem, count = name[: match.start()], int(match[2])
    return tuple(f"{stem}-{part:05d}-of-{count:05d}.gguf" for part in range(1, count + 1))


def is_later_part(name: str) -> bool:
    """Whether `name` is a part other than the first."""
    match = _PART.search(name)
    return match is not None and int(match[1]) > 1
