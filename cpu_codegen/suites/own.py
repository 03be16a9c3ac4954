"""A suite of one's own: a folder of problem files, or a file of JSON lines; its name, and its problems.

The name is the folder's or the file's, made of plain characters, and never one of ours: ids begin with it.
"""

from __future__ import annotations

import re
from pathlib import Path

from cpu_codegen.errors import UsageError
from cpu_codegen.schema import Problem
from cpu_codegen.suites.lowcost60 import load_folder
from cpu_codegen.suites.task_lines import load_task_lines

OURS = frozenset(("lowcost60", "humaneval", "humaneval+", "mbpp", "mbpp+"))
_SUFFIXES = (".jsonl", ".jsonl.gz")


def is_own(name: str) -> bool:
    """Does a `-s` name something that is here: a folder, or a .jsonl file?"""
    path = Path(name).expanduser()
    return path.is_dir() or (path.name.endswith(_SUFFIXES) and path.exists())


def own_name(path: Path) -> str:
    """`./my tasks` → `my-tasks`, `tasks.jsonl.gz` → `tasks`; `own-` is put before a name of ours."""
    stem = path.resolve().name
    for suffix in reversed(_SUFFIXES):
        stem = stem.removesuffix(suffix)
    name = re.sub(r"[^A-Za-z0-9._+-]+", "-", stem).strip("-.") or "tasks"
    return f"own-{name}" if name.casefold() in OURS else name


def load_own(path: Path, *, left_out: list[UsageError] | None = None) -> list[Problem]:
    """The problems of a folder or file. The first broken one raises UsageError, or all of them go into `left_out`."""
    path = path.expanduser()
    load = load_folder if path.is_dir() else load_task_lines
    found = load(path, suite=own_name(path), left_out=left_out)
    if not found and left_out:
        raise UsageError(f"{path}: no problem is left; the first: {left_out[0]}", remedy=left_out[0].remedy)
    return found
