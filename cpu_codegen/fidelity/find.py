"""The ladders that belong to given runs: those of fidelity.jsonl in or beside their folders that hold one of their models.

Looked at: each run's folder, its group, their neighbours, and ./runs. Models are told by digest alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.fidelity.steps import Ladder, ladders
from cpu_codegen.run_names import RUNS
from cpu_codegen.store import RunFolder

FILE = "fidelity.jsonl"


def read_ladders(folder: Path) -> list[Ladder]:
    """The ladders of one folder."""
    return ladders(RunFolder(folder).by_key("fidelity").values())


def ladders_of(runs: Sequence[tuple[Path, str]]) -> list[Ladder]:
    """`runs` are folders and their models' digests; every ladder once, with at least one of these models in it."""
    known = {digest for _, digest in runs if digest}
    found: dict[tuple[str, str], Ladder] = {}
    for folder in _folders(path for path, _ in runs):
        for ladder in _readable(folder):
            name = (ladder.base_sha256, ladder.suite)
            larger = name not in found or len(ladder.steps) > len(found[name].steps)
            if larger and known & {step.sha256 for step in ladder.steps}:
                found[name] = ladder
    return list(found.values())


def _readable(folder: Path) -> list[Ladder]:
    """A damaged file beside a run must not cost that run's page; `ladder` itself says what is wrong with it."""
    try:
        return read_ladders(folder)
    except (CpuCodegenError, OSError, LookupError, TypeError, ValueError):
        return []


def _folders(runs: Iterable[Path]) -> list[Path]:
    places: dict[Path, None] = {}
    for run in [path.resolve() for path in runs]:
        for place in (run, run.parent, *sorted(run.parent.glob(f"*/{FILE}"))):
            places[place if place.is_dir() else place.parent] = None
    for path in sorted(RUNS.resolve().glob(f"*/{FILE}")):
        places[path.parent] = None
    return [place for place in places if (place / FILE).is_file()]
