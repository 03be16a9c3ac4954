"""What earlier runs on this machine measured: it replaces estimates, in a column of its own."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.folder_notes import noted
from cpu_codegen.group import run_folders
from cpu_codegen.machine import Machine
from cpu_codegen.run_names import RUNS
from cpu_codegen.store import MANIFEST, RunFolder

MOST_RUNS = 200
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """From one run folder: tokens per second of busy time at a width, the peak of the engine, tokens and seconds an answer."""

    run: str
    width: int
    decode_tokens_s: float
    peak_rss_bytes: int | None
    answers: int
    tokens_per_answer: float
    seconds_per_answer: float


def measured_runs(machine: Machine) -> dict[str, Measured]:
    """The newest run of each model on this machine, by the model's name and by its sha256."""
    folders = run_folders(RUNS)[-MOST_RUNS:]
    found: dict[str, Measured] = {}
    for record in noted("measured.json", FORMAT, folders, (MANIFEST, "generations.jsonl"), _read):
        if record is not None and record["machine"] == machine.id:
            found |= dict.fromkeys(record["names"], Measured(**record["measured"]))
    return found


def _read(path: Path) -> dict[str, Any] | None:
    """Of one folder: machine, names of the model, figures; None where it tells nothing of our engine's speed."""
    folder = RunFolder(path)
    manifest = folder.manifest()
    engine, model = manifest.get("engine") or {}, manifest.get("model") or {}
    if not engine or engine.get("kind") == "served":  # a server's speed is not that of our engine
        return None
    measured = _measured(path.name, manifest, list(folder.read("generations")))
    names = [name for name in (model.get("name"), model.get("sha256")) if name]
    machine = (manifest.get("machine") or {}).get("id")
    return {"machine": machine, "names": names, "measured": asdict(measured)} if measured else None


def _measured(run: str, manifest: dict[str, Any], records: list[dict[str, Any]]) -> Measured | None:
    done = [r for r in records if r.get("cost_s") and r.get("completion_tokens") and not r.get("reused_from")]
    width = int(manifest["engine"].get("width") or 0)
    busy_s = sum(r["cost_s"] for r in done)
    if not done or not width or busy_s <= 0:
        return None
    tokens = sum(r["completion_tokens"] for r in done)
    decode_s = sum(r.get("decode_s") or 0.0 for r in done) if width == 1 else busy_s
    return Measured(
        run=run,
        width=width,
        decode_tokens_s=tokens / (decode_s or busy_s),
        peak_rss_bytes=max((r.get("peak_rss_bytes") or 0 for r in done), default=0) or None,
        answers=len(done),
        tokens_per_answer=tokens / len(done),
        seconds_per_answer=busy_s / len(done),
    )
