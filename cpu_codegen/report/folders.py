"""RUN arguments → run folders; a group stands for all of its runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.group import members
from cpu_codegen.run_names import find_run
from cpu_codegen.store import MANIFEST


def runs_in(path: Path) -> list[Path]:
    """The folder itself, or the run folders of a group, as its models were named. UsageError for a group without runs."""
    if (path / MANIFEST).is_file():
        return [path]
    found = members(path)
    if not found:
        raise UsageError(f"{path} holds no run", remedy="cpu-codegen runs list")
    return found


def find_runs(names: Iterable[str]) -> list[Path]:
    """All run folders that the arguments name, each once."""
    return list(dict.fromkeys(path for name in names for path in runs_in(find_run(name))))
