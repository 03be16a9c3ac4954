"""What `export` wrote, come back: an artifact becomes a run folder again; a file that holds no programs says what to use instead.

An artifact may come from a stranger: only files whose names we know are read, links are refused, sums must hold, and nothing of it
is executed. Not covered: other tools' samples (foreign.py).
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

from cpu_codegen.errors import IntegrityError, UsageError, to_paste
from cpu_codegen.exchange.artifact import COLUMNS
from cpu_codegen.exchange.leaderboard import FORMAT
from cpu_codegen.exchange.lines import CSV_HEADER
from cpu_codegen.store import MANIFEST, RunFolder

SUMS = "SHA256SUMS"
_PARTS = (MANIFEST, *COLUMNS)


def refuse_lossy(path: Path) -> None:
    """UsageError for a file of ours that holds verdicts and no programs, and for one that needs another way."""
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError:
        return  # the reader of samples says it
    kinds = {
        b"PAR1": "a Parquet file",
        ",".join(CSV_HEADER[:4]).encode(): "a table of verdicts",
        b'{\n "format": "' + FORMAT.encode(): "a leaderboard entry",
    }
    for beginning, kind in kinds.items():
        if start.startswith(beginning):
            raise UsageError(
                f"{path} is {kind}: what made it is not in it, so it cannot become a run again",
                remedy="export RUN --as artifact keeps all of a run, --as evalplus its programs; both can be imported",
            )


def read_artifact(folder: Path) -> dict[str, Any]:
    """The manifest of an artifact whose sums hold. UsageError for another folder, IntegrityError for a damaged one."""
    if not (folder / SUMS).is_file():
        kind = "a run folder already" if (folder / MANIFEST).is_file() else "no artifact (it has no SHA256SUMS)"
        remedy = to_paste("report", folder) if (folder / MANIFEST).is_file() else "a folder of export --as artifact"
        raise UsageError(f"{folder} is {kind}", remedy=remedy)
    sums = _sums(folder / SUMS)
    for name in (name for name in _PARTS if name in sums or (folder / name).exists() or (folder / name).is_symlink()):
        path = folder / name
        if path.is_symlink() or not path.is_file() or _sha256(path) != sums.get(name):
            raise IntegrityError(f"{path} is not what {SUMS} says", remedy="get the artifact again")
    manifest = RunFolder(folder).manifest()
    if MANIFEST not in sums or not isinstance(manifest, dict):
        raise IntegrityError(f"{folder} holds no manifest with a sum", remedy="get the artifact again")
    return manifest


def take_in(folder: Path, out: Path) -> Path:
    """Copies a read artifact into a run folder and marks it as taken in. UsageError where another run lies there."""
    manifest = read_artifact(folder)
    facts = {"artifact": folder.resolve().name, "sha256": _sha256(folder / SUMS)}
    if (out / MANIFEST).is_file():
        if RunFolder(out).manifest().get("imported") == facts:
            return out
        raise UsageError(f"{out} holds another run", remedy="--out with a new folder")
    with RunFolder(out, writable=True) as run:
        for name in COLUMNS:
            if (folder / name).is_file():
                shutil.copyfile(folder / name, out / name)
        run.write_manifest({**manifest, "imported": facts})
    return out


def _sums(path: Path) -> dict[str, str]:
    """Name → hex digest, of the lines that look like sha256sum's."""
    text = path.read_text(encoding="utf-8", errors="replace")
    pairs = [line.split("  ", 1) for line in text.splitlines() if "  " in line]
    return {name: digest for digest, name in pairs}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
