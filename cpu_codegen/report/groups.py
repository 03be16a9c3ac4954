"""What a group's record says of its runs: deadline, rounds, the race; which run was stopped, and on what evidence.

Read with patience: a record that is damaged or of another version says nothing, and the runs are reported as they are.
"""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

from cpu_codegen.race import Stop
from cpu_codegen.report.folders import GROUP


def group_record(path: Path) -> dict[str, Any]:
    """group.json of a folder; {} where there is none that can be read."""
    try:
        record = json.loads((path / GROUP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def stop_of(run: Path) -> Stop | None:
    """Why the race of its group stopped this run, None where it did not (or where the run is in no group)."""
    record, folder = group_record(run.resolve().parent), run.resolve().name
    names = {folder, *(m.get("name") for m in _dicts(record.get("models")) if m.get("folder") == folder)}
    race = record.get("race")
    stops = _dicts(race.get("stops")) if isinstance(race, dict) else []
    known = {field.name for field in fields(Stop)}
    return next((Stop(**s) for s in stops if s.get("model") in names and s.keys() == known), None)


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def shown_name(run: Path, model: str) -> str:
    """The folder of a model that the race names: what a report calls the run."""
    models = _dicts(group_record(run.resolve().parent).get("models"))
    return next((str(m["folder"]) for m in models if m.get("name") == model and m.get("folder")), model)
