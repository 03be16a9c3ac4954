"""How many sequences are decoded together: chosen from measured rates, kept per machine, model and build.

Not covered: the measuring itself, which happens in the engine's process (opened.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cpu_codegen.durable import write_whole
from cpu_codegen.engine.protocol import EngineSettings
from cpu_codegen.errors import MachineError
from cpu_codegen.machine import Machine
from cpu_codegen.places import cache_dir
from cpu_codegen.store import digest

CACHE_SCHEMA = 1
WIDEST = 64
GOOD_ENOUGH = 0.97
"""A narrower width within 3 % of the best is better: less memory, and answers come sooner."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The chosen width, and decoded tokens per second by width as they were measured."""

    width: int
    rates: Mapping[str, float]


def choose(rates: Mapping[str, float]) -> int:
    """The narrowest width whose rate is close to the best. The gain is not monotonic, so all measured ones count."""
    if not rates:
        return 1
    best = max(rates.values())
    return min(int(width) for width, rate in rates.items() if rate >= GOOD_ENOUGH * best)


def cache_key(settings: EngineSettings, machine: Machine, *, threads: int, widest: int) -> str:
    """What a calibration holds for. The sha256 names the model; without one, the path does."""
    try:
        build = version("llama-cpp-python")
    except PackageNotFoundError:
        build = "none"
    model = settings.model_sha256 or settings.model_path
    kv = f"{settings.kv_type_k}/{settings.kv_type_v}"
    return digest(CACHE_SCHEMA, build, machine.id, machine.state, model, threads, kv, widest)


def cached(key: str) -> Calibration | None:
    """An earlier calibration; None where there is none or its file is damaged."""
    entry = _read(_path()).get(key)
    if not isinstance(entry, dict) or not isinstance(entry.get("width"), int):
        return None
    return Calibration(entry["width"], entry.get("rates", {}))


def remember(key: str, calibration: Calibration) -> None:
    """Keeps it; a cache that cannot be written costs the next calibration, nothing else."""
    path = _path()
    entries = {**_read(path), key: {"width": calibration.width, "rates": dict(calibration.rates)}}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps(entries, indent=1) + "\n")
    except (OSError, MachineError):
        return


def _path() -> Path:
    return cache_dir() / "widths.json"


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
