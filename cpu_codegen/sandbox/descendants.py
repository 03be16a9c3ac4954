"""Processes that descend from this one, orphans included: who is left when a program is done?

While `adopting()`, orphans below us become our children (Linux: a child subreaper) and not init's, so that a daemon that forked
twice is still found. Covered: Linux.
"""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict
from collections.abc import Iterator

from cpu_codegen.sandbox.layers import kernel

_PR_SET_CHILD_SUBREAPER = 36


@contextlib.contextmanager
def adopting() -> Iterator[None]:
    """Orphans among our descendants become our children."""
    kernel.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        kernel.prctl(_PR_SET_CHILD_SUBREAPER, 0)


def descendants() -> set[int]:
    """Pids of all living processes below this one (zombies do not count)."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            parent = _living_parent(entry)
            if parent is not None:
                children[parent].append(int(entry))
    found: set[int] = set()
    todo = [os.getpid()]
    while todo:
        for pid in children[todo.pop()]:
            if pid not in found:
                found.add(pid)
                todo.append(pid)
    return found


def _living_parent(pid: str) -> int | None:
    """A process's parent; None for one that has ended."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # a process's name, which it gives itself, may be no text
            state, parent = file.read().rpartition(b")")[2].split()[:2]
    except OSError:
        return None
    return None if state == b"Z" else int(parent)
