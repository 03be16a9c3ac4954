"""Expected outputs of EvalPlus tasks, computed once by the canonical solution in the sandbox and kept in the user's cache.

One small file a task, named by what it depends on: the task's data, the form of the file, Python, this machine (for the limits of
time). A file that is damaged is computed anew. At most one task's outputs are in memory at a time, and only in the checker.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import hashlib
import os
import platform
import re
import threading
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from cpu_codegen.errors import HarnessError
from cpu_codegen.judging.prepared import PREPARED_VERSION
from cpu_codegen.places import cache_dir
from cpu_codegen.sandbox.values import CODEC_VERSION
from cpu_codegen.schema import EvalPlusTask, Limits

PREPARE_LIMITS = Limits(wall_s=3600.0, call_s=3600.0, cpu_s=7200.0, memory_bytes=8 << 30)
_DIGEST_BYTES = 32
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


def prepared(task: EvalPlusTask, compute: Callable[[], str]) -> bytes:
    """What judging needs of a task (judging/prepared.py): from the cache, else by `compute`, which returns it in base64."""
    path = path_of(task)
    with _locks[path.name]:
        found = _read(path)
        if found is None:
            found = base64.b64decode(compute())
            with contextlib.suppress(OSError):  # a cache that cannot be written costs time, nothing else
                _write(path, found)
        return found


def path_of(task: EvalPlusTask) -> Path:
    """Where a task's outputs are kept."""
    name = re.sub(r"\W+", "-", task.task_id)
    return cache_dir() / "expected" / f"{task.suite}-py{_python()}-{_machine()}" / f"{name}-{data_hash(task)[:16]}"


def data_hash(task: EvalPlusTask) -> str:
    """Of all that the outputs depend on."""
    total = hashlib.sha256(f"{PREPARED_VERSION} {CODEC_VERSION} {task.suite} {task.task_id}\0".encode())
    total.update(task.canonical.encode() + b"\0" + task.packed_record)
    return total.hexdigest()


def _python() -> str:
    return ".".join(platform.python_version_tuple()[:2])


@functools.cache
def _machine() -> str:
    from cpu_codegen.machine import fingerprint

    return fingerprint().id[:12]


def _read(path: Path) -> bytes | None:
    try:
        data = path.read_bytes()
    except OSError:
        return None
    digest, packed = data[:_DIGEST_BYTES], data[_DIGEST_BYTES:]
    return packed if hashlib.sha256(packed).digest() == digest else None


def _write(path: Path, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    # not flushed to the disk: the digest tells a torn file
    temporary.write_bytes(hashlib.sha256(packed).digest() + packed)
    temporary.replace(path)


def answer(verdict: dict[str, object]) -> str:
    """The checker's answer to a preparation. Raises HarnessError for anything else."""
    packed = verdict.get("packed")
    if verdict.get("outcome") != "prepared" or not isinstance(packed, str):
        raise HarnessError(f"the canonical solution does not run here: {verdict.get('message') or verdict}")
    return packed
