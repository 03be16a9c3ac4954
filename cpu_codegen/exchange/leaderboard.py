"""One anonymised JSON of a run, for a leaderboard: what the model did and on what kind of machine; nothing that names its owner.

In it: the model's name and digest, settings, hashes of suites and prompts, versions, the kind of machine (CPU name, cores, RAM
rounded to GiB, architecture), and the numbers per suite, style and level. Not in it: answers, paths, host names, user names,
machine ids, times of day, command lines.
"""

from __future__ import annotations

from pathlib import PurePath, PureWindowsPath
from typing import Any

from cpu_codegen.report.overview import is_demo, wanted
from cpu_codegen.report.records import cell_record, pair_record
from cpu_codegen.report.summary import RunSummary

FORMAT = "cpu-codegen-leaderboard/1"


def entry(summary: RunSummary) -> dict[str, Any]:
    """The whole entry; everything that leaves is named here, one by one."""
    manifest = summary.manifest
    return {
        "format": FORMAT,
        "cpu_codegen": manifest.get("cpu_codegen"),
        "model": _model(manifest.get("model") or {}),
        "is_demo_fixture": is_demo(summary),
        "machine": machine_kind(manifest.get("machine") or {}),
        "engine": {k: (manifest.get("engine") or {}).get(k) for k in ("kind", "build", "width", "threads")},
        "settings": manifest.get("settings"),
        "judging": manifest.get("judging"),
        "suites": {name: suite.get("hash") for name, suite in (manifest.get("suites") or {}).items()},
        "prompts": {style: text.get("sha256") for style, text in (manifest.get("prompts") or {}).items()},
        "versions": manifest.get("versions"),
        "isolation_tier": (manifest.get("isolation") or {}).get("tier"),
        "status": manifest.get("status"),
        "stopped_at_look": summary.stop.look if summary.stop else None,
        "answers": len(summary.samples),
        "answers_wanted": wanted(summary),
        "groups": [cell_record(cell) for cell in summary.cells],
        "paired": [pair_record(pair) for pair in summary.pairs],
    }


def _model(model: dict[str, Any]) -> dict[str, Any]:
    """A path becomes its file name: folders tell who somebody is."""
    name = PureWindowsPath(PurePath(str(model.get("name") or "")).name).name
    return {"name": name, **{k: model.get(k) for k in ("alias", "quant", "size_bytes", "sha256")}}


def machine_kind(machine: dict[str, Any]) -> dict[str, Any]:
    """The kind of machine, never which one."""
    ram = machine.get("ram_total_bytes")
    names = ("cpu", "arch", "physical_cores_usable", "logical_cores_usable", "cpu_quota", "virtual")
    return {**{name: machine.get(name) for name in names}, "ram_gib": round(ram / 2**30) if ram else None}


def contents(record: dict[str, Any]) -> list[str]:
    """What is in an entry, in one line each, for a person to read before they pass it on."""
    lines = []
    for name, value in record.items():
        if isinstance(value, dict):
            lines.append(f"{name}: {', '.join(f'{k} {v}' for k, v in value.items() if not isinstance(v, dict | list))}")
        elif isinstance(value, list):
            lines.append(f"{name}: {len(value)} records of numbers")
        else:
            lines.append(f"{name}: {value}")
    return lines
