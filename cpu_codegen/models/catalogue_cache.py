"""The parsed registry as JSON: reading it takes a tenth of parsing and checking 3,000 lines of YAML.

The name of the cache holds the files' paths, times and lengths and our version, so an edited file is parsed anew; a cache that
cannot be read or written costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cpu_codegen import __version__
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.models.spec import Elsewhere, Geometry, ModelSpec, Published, Reasoning, SamplingAdvice
from cpu_codegen.places import cache_dir
from cpu_codegen.sampling import Sampling

FORMAT = 5
KEPT = 8

Parts = tuple[list[ModelSpec], dict[str, str], dict[int, tuple[str, ...]]]
"""Files, other names of aliases, starter sets."""


def cache_file(identity: object) -> Path:
    """Where the parsed form of these files lies."""
    name = hashlib.sha256(f"{FORMAT} {__version__} {identity}".encode()).hexdigest()[:24]
    return cache_dir() / "models" / f"{name}.json"


def load_parts(path: Path) -> Parts | None:
    """What was stored, or None."""
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        specs = [_spec(record) for record in stored["specs"]]
        starters = {int(size): tuple(names) for size, names in stored["starter_sets"].items()}
        return specs, dict(stored["also"]), starters
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def store_parts(path: Path, parts: Parts) -> None:
    """Keeps the parsed form, and only the newest few of them."""
    specs, also, starters = parts
    record = {"specs": [asdict(spec) for spec in specs], "also": also, "starter_sets": starters}
    with contextlib.suppress(OSError):
        write_atomically(path, json.dumps(record))
        for old in sorted(path.parent.glob("*.json"), key=lambda file: file.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)


def _spec(record: dict[str, Any]) -> ModelSpec:
    for name in ("files", "sha256s", "sizes", "paths"):
        record[name] = tuple(record[name])
    if record["geometry"] is not None:
        record["geometry"] = Geometry(**record["geometry"])
    if record["reasoning"] is not None:
        record["reasoning"] = Reasoning(**record["reasoning"])
    if record["advice"] is not None:
        record["advice"] = _advice(record["advice"])
    record["elsewhere"] = tuple(Elsewhere(**one) for one in record["elsewhere"])
    record["published"] = tuple(Published(**one) for one in record["published"])
    return ModelSpec(**record)


def _advice(record: dict[str, Any]) -> SamplingAdvice:
    for name in ("thinking", "plain"):
        record[name] = Sampling(**record[name]) if record[name] is not None else None
    return SamplingAdvice(**record)
