"""Tasks of one's own, good ones and broken ones, as users would have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

GOOD = '''"""Twice each number.

topics: lists
"""


def twice(values: list[int]) -> list[int]:
    """Return each number doubled, in order.

    >>> twice([1, 2])
    [2, 4]
    """
    return [2 * value for value in values]


CASES = [([],), ([1],), ([3, -1],)]
'''

PROMPT = 'def add(a, b):\n    """Add two numbers."""\n'
BODY = "    return a + b\n"
HUMANEVAL: dict[str, Any] = {
    "task_id": "acme/1",
    "prompt": PROMPT,
    "entry_point": "add",
    "canonical_solution": BODY,
    "test": "def check(candidate):\n    assert candidate(1, 2) == 3\n    assert candidate(-1, 1) == 0\n",
}
EVALPLUS: dict[str, Any] = {
    "task_id": "acme/2",
    "prompt": PROMPT,
    "entry_point": "add",
    "canonical_solution": BODY,
    "base_input": [[1, 2], [0, 0]],
    "plus_input": [[10**20, 1]],
    "atol": 0,
}


def write_lines(path: Path, *records: Any) -> Path:
    """One JSON object a line; bytes and texts stand as they are."""
    lines = [r if isinstance(r, bytes) else (r if isinstance(r, str) else json.dumps(r)).encode() for r in records]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def write_folder(path: Path, **files: str | bytes) -> Path:
    """`name` → `name.py`; `easy__name` → `easy/name.py`."""
    for name, text in files.items():
        file = path / (name.replace("__", "/") + ".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path
