"""Small files of /proc and /sys; what is absent, unreadable or says nothing is None."""

from __future__ import annotations

import re
from pathlib import Path


def read_text(path: Path) -> str | None:
    """A small file's text, stripped; None when it cannot be read."""
    try:
        return path.read_bytes()[: 1 << 20].decode("utf-8", errors="replace").strip().strip("\0") or None
    except OSError:
        return None


def read_number(path: Path) -> int | None:
    """A small file that holds one whole number."""
    text = read_text(path)
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text) else None
