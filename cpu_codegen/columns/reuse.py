"""Before the first column: answers with equal keys from earlier runs, where `--reuse` asks for them.

Only from the same machine and the same build of llama.cpp, because the stored costs come along; each line says `reused_from`.
Without `--reuse` a run says how many answers there are to be had. Answers of servers and imports are never offered.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cpu_codegen.errors import CpuCodegenError, UsageError
from cpu_codegen.group import run_folders
from cpu_codegen.inputs import RunInputs
from cpu_codegen.progress import Progress
from cpu_codegen.report.cost import one_load_s
from cpu_codegen.run_names import RUNS
from cpu_codegen.schema import FinishReason
from cpu_codegen.session import Session
from cpu_codegen.store import RunFolder

MOST_RUNS = 200
"""Of the newest folders; a look at more would delay the start."""


def reuse(session: Session, inputs: RunInputs, progress: Progress) -> Iterator[dict[str, Any]]:
    """The lines that earlier folders have for samples that this one lacks; none unless asked for, then only a hint."""
    asked = session.config.reuse
    root = Path(asked) if asked else RUNS
    if asked and not root.is_dir():
        raise UsageError(f"--reuse: no folder {root}", remedy="--reuse, or --reuse DIR with the folder of earlier runs")
    if session.config.engine_url is not None or (not asked and "reusable" in session.facts):
        return  # a server's answers are never offered; a run in rounds is told once
    done = {record["key"] for record in session.folder.read("generations")}
    left = {sample.key for sample in inputs.samples} - done
    if not left:
        return
    build = _build_here() if asked else None
    found = _found(session, root, left, build)
    if not asked:
        session.note(reusable=len(found))
        if found:
            progress.say(f"{len(found)} of {len(inputs.samples)} answers are in earlier runs: --reuse takes them over")
        return
    loads = {str(source): one_load_s(RunFolder(source).manifest()) for source, _ in found.values()}
    if loads and not session.facts.get("load_s"):
        session.note(load_s=max(loads.values()), reused=len(found))
    progress.say(f"{len(found)} of {len(inputs.samples)} answers taken over from earlier runs")
    for source, record in found.values():
        yield {**record, "reused_from": record.get("reused_from") or str(source)}


def _found(
    session: Session, root: Path, left: set[str], build: tuple[str, str] | None
) -> dict[str, tuple[Path, dict[str, Any]]]:
    """For each key the newest folder that has it, with its line."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    own = session.folder.path.resolve()
    for path in reversed(run_folders(root)[-MOST_RUNS:]):
        if path.resolve() == own:
            continue
        try:
            folder = RunFolder(path)
            if not _same(folder.manifest(), session.manifest, build):
                continue
            for record in folder.read("generations"):
                if record["key"] in left and record["key"] not in found and _is_answer(record):
                    found[record["key"]] = (path, record)
        except (CpuCodegenError, OSError, KeyError, TypeError, AttributeError):
            continue  # a damaged or foreign folder has nothing to offer
    return found


def _is_answer(record: dict[str, Any]) -> bool:
    return not record.get("imported") and record["finish_reason"] != FinishReason.ENGINE_ERROR


def _same(theirs: dict[str, Any], ours: dict[str, Any], build: tuple[str, str] | None) -> bool:
    """Same model, machine and build. For the hint (`build` None) the version of the binding stands for the build."""
    if theirs["model"]["sha256"] != ours["model"]["sha256"] or theirs["machine"]["id"] != ours["machine"]["id"]:
        return False
    engine = theirs.get("engine") or {}
    if build is not None:
        return (engine.get("build"), engine.get("cpu_flags")) == build
    return bool(engine) and theirs["versions"].get("llama-cpp-python") == ours["versions"].get("llama-cpp-python")


def _build_here() -> tuple[str, str]:
    """What would generate here: the binding's build and what it uses of the CPU. MachineError without llama.cpp."""
    from cpu_codegen.engine.diagnosis import no_binding

    try:
        from cpu_codegen.engine.binding import build_flags, build_name
    except (ImportError, OSError, RuntimeError) as error:
        raise no_binding(str(error)) from error
    return build_name(), build_flags()
