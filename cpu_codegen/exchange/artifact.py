"""A folder to archive or publish beside a paper: raw answers, verdicts, measurements, hashes, licences, a card, CITATION.cff.

Command lines and paths are taken out (they name people and machines): of the manifest, and of answers that were taken over from
another run; everything else is copied as it is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any

from cpu_codegen import __version__
from cpu_codegen.durable import disk_error, write_whole
from cpu_codegen.errors import UsageError
from cpu_codegen.exchange.leaderboard import machine_kind
from cpu_codegen.report.escape import for_markdown
from cpu_codegen.report.overview import all_tables, notes
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.report.tables import as_markdown
from cpu_codegen.store import dump_line

_OF_SESSION = ("load_s", "width", "threads", "executed", "execute_s")
_OF_MACHINE = ("os", "kernel", "governor", "energy_why", "ram_total_bytes")
COLUMNS = ("prompts.jsonl", "generations.jsonl", "results.jsonl", "efficiency.jsonl")


def write_artifact(summary: RunSummary, folder: Path) -> list[Path]:
    """Writes the artifact and gives its files back. UsageError for a folder that is there already."""
    if folder.is_file() or (folder.exists() and any(folder.iterdir())):
        raise UsageError(
            f"{folder} is {'a file' if folder.is_file() else 'not empty'}", remedy="--out with a new folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in COLUMNS:
            if (summary.path / name).is_file():
                _copy(summary.path / name, folder / name)
    except OSError as error:
        raise disk_error(folder, error) from error
    public = replace(summary, manifest=public_manifest(summary.manifest))
    write_whole(folder / "manifest.json", json.dumps(public.manifest, indent=1) + "\n")
    write_whole(folder / "README.md", card(public))
    write_whole(folder / "LICENSES.md", licences(public))
    write_whole(folder / "CITATION.cff", citation(public))
    sums = "".join(f"{_sha256(path)}  {path.name}\n" for path in sorted(folder.iterdir()))
    write_whole(folder / "SHA256SUMS", sums)
    return sorted(folder.iterdir())


def _copy(source: Path, target: Path) -> None:
    """Line by line as it is; where an answer was taken over from is cut down to the folder's name."""
    with source.open("rb") as lines, target.open("wb") as file:
        file.writelines(_without_path(line) if b'"reused_from"' in line else line for line in lines)


def _without_path(line: bytes) -> bytes:
    try:
        record = json.loads(line)
    except ValueError:  # a torn last line, which no reader takes
        return b""
    return dump_line({**record, "reused_from": _file_name(record["reused_from"])}).encode("ascii")


def public_manifest(manifest: dict[str, Any]) -> dict[str, Any]:
    """The manifest without what names a person or one machine; what the figures are made of stays."""
    public = {k: v for k, v in manifest.items() if k not in ("sessions", "config", "machine")}
    machine = manifest.get("machine") or {}
    public["machine"] = {**machine_kind(machine), **{k: machine[k] for k in _OF_MACHINE if k in machine}}
    public["model"] = {k: v for k, v in (manifest.get("model") or {}).items() if k not in ("path", "paths")}
    public["model"]["name"] = _file_name(public["model"].get("name"))
    public["suites"] = {_file_name(k): _public_suite(v) for k, v in (manifest.get("suites") or {}).items()}
    if manifest.get("served"):
        where = "this machine" if manifest["served"].get("is_local") else "another machine"
        public["served"] = {**manifest["served"], "url": where}
    public["sessions"] = [{k: s[k] for k in _OF_SESSION if k in s} for s in manifest.get("sessions") or []]
    return public


def _public_suite(suite: dict[str, Any]) -> dict[str, Any]:
    """Tasks of one's own lie in a folder that tells who somebody is."""
    return {k: _file_name(v) if k == "source" and v else v for k, v in suite.items()}


def _file_name(name: object) -> str:
    """The last part of a path of either kind; a name that is none stays."""
    return PureWindowsPath(PurePath(str(name or "")).name).name


def card(summary: RunSummary) -> str:
    """What this is, how it was made, what it says."""
    tables = "\n".join(as_markdown(table) for table in all_tables([summary]))
    remarks = "".join(f"- {for_markdown(note)}\n" for note in notes([summary]))
    model = summary.manifest.get("model") or {}
    return (
        f"# Answers of {for_markdown(_file_name(summary.model))}\n\n"
        f"Made by cpu_codegen {__version__}. Model file sha256 `{model.get('sha256')}`.\n"
        "`generations.jsonl` holds the raw answers, `results.jsonl` the verdicts, `efficiency.jsonl` the measurements, "
        "`prompts.jsonl` what the model read; `SHA256SUMS` covers them. Generated code is untrusted: run it in a sandbox.\n\n"
        f"{remarks}\n{tables}"
    )


def licences(summary: RunSummary) -> str:
    """The model's licence as the registry knows it, and the suites'."""
    from cpu_codegen.errors import CpuCodegenError
    from cpu_codegen.registry import resolve

    name = str((summary.manifest.get("model") or {}).get("alias") or summary.model)
    try:
        licence = getattr(resolve(name), "licence", None) or "not known"
    except CpuCodegenError:
        licence = "not known"
    suites = ", ".join(summary.manifest.get("suites") or {})
    return (
        "# Licences\n\n"
        f"- answers: made by {for_markdown(_file_name(summary.model))}, whose licence is: {for_markdown(str(licence))}. "
        "Some licences bind what a model's output may be used for; read it.\n"
        f"- problems of {for_markdown(suites)}: `prompts.jsonl` holds their statements under their own licences "
        "(lowcost60: Apache-2.0; HumanEval: MIT; EvalPlus: Apache-2.0; MBPP: CC-BY-4.0).\n"
    )


def citation(summary: RunSummary) -> str:
    """A CITATION.cff to complete with names; strings are JSON, which is YAML."""
    title = json.dumps(f"Answers of {_file_name(summary.model)} to {', '.join(summary.manifest.get('suites') or {})}")
    return (
        "cff-version: 1.2.0\n"
        "message: Please cite this data set and the tool that made it.\n"
        "type: dataset\n"
        f"title: {title}\n"
        "authors:\n  - name: the people who ran it\n"
        f"date-released: {str(summary.manifest.get('created_utc') or '')[:10] or '1970-01-01'}\n"
        f'references:\n  - type: software\n    title: cpu_codegen\n    version: "{__version__}"\n'
        "    authors:\n      - name: the cpu_codegen authors\n"
    )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
