"""Before the first column: answers with equal keys from earlier runs, where `--reuse` asks for them.

Only from the same machine and the same build of llama.cpp, because the stored costs come along; each line says `reused_from`.
Without `--reuse` a run says how many answers there are to be had. Imports are never offered, and a server's answers only where the
user vouches for the file behind it (--model-sha256): then from the same kind and build of server on the same machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cpu_codegen.columns.generate import identity
from cpu_codegen.counts import count_of
from cpu_codegen.errors import CpuCodegenError, UsageError
from cpu_codegen.group import run_folders
from cpu_codegen.inputs import RunInputs, Sample
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
    if session.config.engine_url is not None and session.config.model_sha256 is None:
        if asked:
            progress.say(
                "a server's answers are taken over only with --model-sha256: nothing else says which file answered"
            )
        return
    if not asked and "reusable" in session.facts:
        return  # a run in rounds is told once
    done = {record["key"] for record in session.folder.read("generations")}
    left = {sample.key: sample for sample in inputs.samples if sample.key not in done}
    if not left:
        return
    found = _found(session, root, left, _source(session, inputs, asked=bool(asked)))
    wanted = count_of(len(inputs.samples), "answer")
    if not asked:
        session.note(reusable=len(found))
        if found:
            verb, them = ("is", "it") if len(found) == 1 else ("are", "them")
            progress.say(f"{len(found)} of {wanted} {verb} in earlier runs: --reuse takes {them} over")
        return
    loads = {str(source): one_load_s(RunFolder(source).manifest()) for source, _ in found.values()}
    if loads and not session.facts.get("load_s"):
        session.note(load_s=max(loads.values()), reused=len(found))
    progress.say(f"{len(found)} of {wanted} taken over from earlier runs")
    for source, record in found.values():
        # the same prompt may stand in another suite there (humaneval, humaneval+)
        yield {**record, **identity(left[record["key"]]), "reused_from": record.get("reused_from") or str(source)}


def _found(
    session: Session, root: Path, left: Mapping[str, Sample], is_ours: Callable[[dict[str, Any]], bool]
) -> dict[str, tuple[Path, dict[str, Any]]]:
    """For each key the newest folder that has it, with its line."""
    found: dict[str, tuple[Path, dict[str, Any]]] = {}
    own = session.folder.path.resolve()
    for path in reversed(run_folders(root)[-MOST_RUNS:]):
        if path.resolve() == own:
            continue
        try:
            folder = RunFolder(path)
            manifest = folder.manifest()
            if not (_same_file_and_machine(manifest, session.manifest) and is_ours(manifest)):
                continue
            for record in folder.read("generations"):
                if record["key"] in left and record["key"] not in found and _is_answer(record):
                    found[record["key"]] = (path, record)
        except (CpuCodegenError, OSError, KeyError, TypeError, AttributeError):
            continue  # a damaged or foreign folder has nothing to offer
    return found


def _is_answer(record: dict[str, Any]) -> bool:
    return not record.get("imported") and record["finish_reason"] != FinishReason.ENGINE_ERROR


def _same_file_and_machine(theirs: dict[str, Any], ours: dict[str, Any]) -> bool:
    return bool(
        theirs["model"]["sha256"] == ours["model"]["sha256"] and theirs["machine"]["id"] == ours["machine"]["id"]
    )


def _source(session: Session, inputs: RunInputs, *, asked: bool) -> Callable[[dict[str, Any]], bool]:
    """Whether the engine of an earlier run is what would generate now. For the hint the binding's version stands for its build."""
    if inputs.served is not None:
        served = inputs.served
        return lambda theirs: _same_server(theirs, served)
    if asked:
        build = _build_here()
        return lambda theirs: _build_of(theirs) == build
    version = session.manifest["versions"].get("llama-cpp-python")
    return lambda theirs: bool(theirs.get("engine")) and theirs["versions"].get("llama-cpp-python") == version


def _build_of(manifest: dict[str, Any]) -> tuple[str | None, str | None]:
    engine = manifest.get("engine") or {}
    return engine.get("build"), engine.get("cpu_flags")


def _same_server(theirs: dict[str, Any], served: dict[str, Any]) -> bool:
    """The same kind and build, and on the same machine: this one, or one that goes by the same name."""
    before = theirs.get("served") or {}
    if _build_of(theirs)[0] != served["build"]:
        return False
    hosts = [urlsplit(str(one.get("url"))).hostname for one in (before, served)]
    return bool(before.get("is_local") and served["is_local"]) or hosts[0] == hosts[1]


def _build_here() -> tuple[str, str]:
    """What would generate here: the binding's build and what it uses of the CPU. MachineError without llama.cpp."""
    from cpu_codegen.engine.diagnosis import no_binding

    try:
        from cpu_codegen.engine.binding import build_flags, build_name
    except (ImportError, OSError, RuntimeError) as error:
        raise no_binding(str(error)) from error
    return build_name(), build_flags()
