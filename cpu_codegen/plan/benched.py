"""What `bench -t auto` found of a file on this machine: the thread count that generates fastest, kept for `recommend`."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from cpu_codegen.machine import Machine
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.places import cache_dir
from cpu_codegen.store import digest

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Benched:
    """`threads` = the fewest within 3 % of the best of those `tried`, at these KV types; the rate is that of one stream."""

    threads: int
    tokens_per_s: float
    tried: tuple[int, ...]
    kv_type_k: str = "f16"
    kv_type_v: str = "f16"


def remember(machine: Machine, sha256: str, found: Benched) -> None:
    """Keeps the newest of a file; a cache that cannot be written costs nothing else."""
    with suppress(OSError):
        write_atomically(_file(machine, sha256), json.dumps(asdict(found)))


def recall(machine: Machine, sha256: str) -> Benched | None:
    """What was kept for this file on this machine in its present state (governor, power source, limits)."""
    try:
        stored = json.loads(_file(machine, sha256).read_text(encoding="utf-8"))
        return Benched(**{**stored, "tried": tuple(stored["tried"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _file(machine: Machine, sha256: str) -> Path:
    return cache_dir() / "benches" / f"{digest(SCHEMA, machine.id, machine.state, sha256)[:24]}.json"
