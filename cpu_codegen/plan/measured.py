"""What earlier runs on this machine measured: it replaces estimates, in a column of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cpu_codegen.errors import CpuCodegenError
from cpu_codegen.group import run_folders
from cpu_codegen.machine import Machine
from cpu_codegen.run_names import RUNS
from cpu_codegen.store import RunFolder

MOST_RUNS = 200


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
    found: dict[str, Measured] = {}
    for path in run_folders(RUNS)[-MOST_RUNS:]:
        try:
            folder = RunFolder(path)
            manifest = folder.manifest() if (path / "manifest.json").is_file() else {}
            is_ours = manifest.get("engine", {}).get("kind") != "served"  # a server's speed is not that of our engine
            if manifest.get("machine", {}).get("id") != machine.id or not manifest.get("engine") or not is_ours:
                continue
            measured = _measured(path.name, manifest, list(folder.read("generations")))
        except (CpuCodegenError, OSError, KeyError, TypeError, ValueError):
            continue  # a damaged or foreign folder says nothing
        if measured is not None:
            model = manifest.get("model", {})
            for name in (model.get("name"), model.get("sha256")):
                if name:
                    found[name] = measured
    return found


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
