"""The foot of the page: what each run was made with, and the command that repeats it."""

from __future__ import annotations

import json
import shlex
from typing import Any

from cpu_codegen.report.escape import for_html
from cpu_codegen.report.summary import RunSummary
from cpu_codegen.sizes import format_bytes


def run_facts(summary: RunSummary) -> str:
    """Machine, versions, hashes and the command that repeats the run."""
    facts = "".join(f"<dt>{for_html(name)}</dt><dd>{for_html(value)}</dd>" for name, value in _facts(summary) if value)
    return (
        f"<details><summary>{for_html(summary.name)}: {for_html(summary.model)}</summary><dl>{facts}</dl></details>\n"
    )


def _facts(summary: RunSummary) -> list[tuple[str, str]]:
    manifest = summary.manifest
    machine, engine = manifest.get("machine") or {}, manifest.get("engine") or {}
    model = manifest.get("model") or {}
    ram = machine.get("ram_total_bytes")
    isolation = manifest.get("isolation") or {}
    return [
        ("repeat", repeat_command(summary)),
        ("CPU", f"{machine.get('cpu', 'unknown')}, {machine.get('physical_cores_usable') or '?'} cores usable"),
        ("RAM", format_bytes(ram) if ram else "unknown"),
        (
            "system",
            f"{machine.get('os', '')} {machine.get('kernel', '')}, governor {machine.get('governor', 'unknown')}",
        ),
        ("engine", f"{engine.get('kind', 'unknown')} {engine.get('build') or ''}, width {engine.get('width') or '?'}"),
        ("model file", f"{model.get('name', '')}, {_size_or_source(model)}"),
        ("model sha256", str(model.get("sha256") or "unknown")),
        ("suites", "; ".join(f"{k} {v.get('hash', '')}" for k, v in (manifest.get("suites") or {}).items())),
        ("prompts", "; ".join(f"{k} {v.get('sha256', '')}" for k, v in (manifest.get("prompts") or {}).items())),
        ("settings", json.dumps(manifest.get("settings") or {})),
        ("judging", json.dumps(manifest.get("judging") or {})),
        ("isolation", f"tier {isolation.get('tier', '?')}: {', '.join(isolation.get('layers', []))}"),
        ("versions", ", ".join(f"{k} {v}" for k, v in (manifest.get("versions") or {}).items())),
        ("cpu_codegen", str(manifest.get("cpu_codegen") or "")),
        ("begun", f"{manifest.get('created_utc', '')}, status {manifest.get('status', '')}"),
    ]


def _size_or_source(model: dict[str, Any]) -> str:
    """A served model's file is the server's; its size may not be known."""
    return format_bytes(model["size_bytes"]) if model.get("size_bytes") else str(model.get("source") or "size unknown")


def repeat_command(summary: RunSummary) -> str:
    """The command line of the last session that asked for this run."""
    for session in reversed(summary.manifest.get("sessions") or []):
        if session.get("argv"):
            return "cpu-codegen " + shlex.join(map(str, session["argv"]))
    return ""
