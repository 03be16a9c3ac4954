"""What is known of a model's quality: own runs of that very file, and what others published of the unquantized original.

The two never share a column: they differ in problems, prompts, precision and machine. What run folders hold is kept
(folder_notes.py), because a recommendation must not take longer than a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cpu_codegen.folder_notes import noted
from cpu_codegen.group import run_folders
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.run_names import RUNS
from cpu_codegen.store import MANIFEST, RunFolder

FORMAT = 2
MOST_RUNS = 500
NATIVE = ("ternary", "1-bit", "MXFP4")
"""Precisions in which an original itself is published."""

SUITES = ("humaneval+", "humaneval", "mbpp+", "mbpp")
"""In the order in which a published score is looked for: the hardest to be lucky on first."""


@dataclass(frozen=True, slots=True)
class Own:
    """pass@1 of one file by own runs, on one suite in style plain: each problem's mean score. `machine` = where it ran.

    `settings` are those of the run; tokens_per_s is its throughput at `width`, threads as the engine said.
    """

    run: str
    sha256: str
    name: str
    path: str
    suite: str
    scores: Mapping[str, float]
    machine: str = ""
    engine: str = ""
    threads: int = 0
    width: int = 0
    tokens_per_s: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n(self) -> int:
        """Problems."""
        return len(self.scores)

    @property
    def value(self) -> float:
        """pass@1."""
        return sum(self.scores.values()) / self.n


@dataclass(frozen=True, slots=True)
class Claim:
    """A score out of 100 that others published, in the setting that stands beside it."""

    suite: str
    value: float
    setting: str
    source: str
    by_evalplus: bool
    precision: str = ""

    @property
    def of(self) -> str:
        """Whose score it is, in words: some models are small by birth."""
        native = self.precision if self.precision in NATIVE else "unquantized"
        return f"{native} original"


def claim(spec: ModelSpec) -> Claim | None:
    """The published score to show: EvalPlus's chat rows first, then in the order of the entry; HumanEval+ where there is one."""
    rows = sorted(spec.published, key=lambda one: (not one.by_evalplus, one.thinks, one.is_completion))
    for suite in SUITES:
        for row in rows:
            if suite in row.scores:
                return Claim(suite, row.scores[suite], row.setting, row.source, row.by_evalplus, row.precision)
    return None


def own_runs(root: Path | None = None) -> list[Own]:
    """All that the run folders hold on quality, oldest first; a damaged folder says nothing."""
    folders = run_folders(root or RUNS)[-MOST_RUNS:]
    found = noted("quality.json", FORMAT, folders, (MANIFEST, "results.jsonl"), _read)
    return [Own(**record) for records in found for record in records or []]


def best_known(runs: Iterable[Own]) -> dict[tuple[str, str], Own]:
    """By digest and suite the run with the most problems, the newest of equals."""
    best: dict[tuple[str, str], Own] = {}
    for run in runs:
        key = (run.sha256, run.suite)
        if key not in best or run.n >= best[key].n:
            best[key] = run
    return best


def _read(folder: Path) -> list[dict[str, Any]]:
    """One record for each suite in which the folder has judged plain answers of a known digest."""
    opened = RunFolder(folder)
    manifest = opened.manifest()
    model, engine = manifest["model"], manifest.get("engine") or {}
    sha256 = str(model.get("sha256") or "")
    if len(sha256) != 64:  # served without a digest, or imported
        return []
    latest = {record["generation"]: record for record in opened.read("results") if record["style"] == "plain"}
    tally: dict[str, dict[str, list[bool]]] = {}
    for record in latest.values():
        if record["outcome"] not in (None, "harness_error"):
            tally.setdefault(record["suite"], {}).setdefault(record["problem_id"], []).append(
                record["outcome"] == "passed"
            )
    rate = _rate(opened)
    return [
        {
            "run": str(folder),
            "sha256": sha256,
            "name": str(model.get("name") or ""),
            "path": str((model.get("paths") or [""])[0]),
            "suite": suite,
            "scores": {problem: sum(flags) / len(flags) for problem, flags in problems.items()},
            "machine": str(manifest.get("machine", {}).get("id") or ""),
            "engine": str(engine.get("kind") or ""),
            "threads": int(engine.get("threads") or 0),
            "width": int(engine.get("width") or 0),
            "tokens_per_s": rate,
            "settings": manifest.get("settings") or {},
        }
        for suite, problems in tally.items()
    ]


def _rate(opened: RunFolder) -> float | None:
    """Completion tokens over busy seconds, of answers that were made in this run."""
    tokens = seconds = 0.0
    for record in opened.read("generations"):
        if not record.get("reused_from"):
            tokens += record.get("completion_tokens") or 0
            seconds += record.get("cost_s") or 0.0
    return tokens / seconds if tokens and seconds > 0 else None
