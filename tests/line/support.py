"""What the tests of the whole line share: the command, and how its files are read."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-m", "cpu_codegen"]


def lines(path: Path) -> list[dict[str, Any]]:
    """All records of a JSON-lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
