"""Verdicts kept from one `score` to the next, so that an interrupted one goes on.

The key is made of the program's text, the problem's data and everything that decides a verdict; a changed sample has another key,
so it is never answered from an old verdict. Faults of our own are not kept. A torn or foreign line is passed over: this is a cache.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import IO, Any

from cpu_codegen.judge import JUDGE_VERSION
from cpu_codegen.judging.prepared import PREPARED_VERSION
from cpu_codegen.places import cache_dir
from cpu_codegen.sandbox.values import CODEC_VERSION
from cpu_codegen.schema import Limits, Problem
from cpu_codegen.store import digest, dump_line, plain

_KEPT_VERSION = 2  # raised when verdicts kept so far may be wrong


def judge_key(suite: str, comparator: str, limits: Limits) -> str:
    """Of everything that decides a verdict besides program and problem, this machine's speed included."""
    from importlib.metadata import version

    from cpu_codegen.machine import fingerprint

    ours = (_KEPT_VERSION, JUDGE_VERSION, PREPARED_VERSION, CODEC_VERSION)
    versions = (*ours, platform.python_version(), version("numpy"))
    return digest("score", suite, comparator, plain(limits), fingerprint().id, *versions)


def sample_key(code: str, problem: Problem) -> str:
    """Of one program for one problem."""
    total = hashlib.sha256(f"{problem.id}\0{problem.data_hash}\0".encode())
    total.update(code.encode("utf-8", "surrogatepass"))
    return total.hexdigest()


class Verdicts:
    """Known verdicts by `sample_key`, and the file that new ones are added to. A context manager."""

    def __init__(self, judge: str, *, fresh: bool = False) -> None:
        self.path: Path = cache_dir() / "verdicts" / f"{judge[:32]}.jsonl"
        self._known = {} if fresh else _read(self.path)
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Verdicts:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def get(self, key: str) -> dict[str, Any]:
        """A known verdict."""
        return self._known[key]

    def add(self, key: str, verdict: dict[str, Any]) -> None:
        """One more; a cache that cannot be written costs time, nothing else."""
        self._known[key] = verdict
        try:
            if self._file is None:
                self._file = self._open()
            self._file.write(dump_line({"key": key, **verdict}).encode("ascii"))
            self._file.flush()
        except OSError:
            return

    def _open(self) -> IO[bytes]:
        """A line that an earlier process left torn is ended first."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("ab")
        if file.tell():
            file.write(b"\n")
        return file


def _read(path: Path) -> dict[str, dict[str, Any]]:
    try:
        data = path.read_bytes()
    except OSError:
        return {}
    found: dict[str, dict[str, Any]] = {}
    for line in data.split(b"\n"):
        try:
            record = json.loads(line)
            found[record.pop("key")] = record
        except (ValueError, TypeError, KeyError, AttributeError):
            continue
    return found
