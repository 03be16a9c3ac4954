"""What a group's record says of its runs: deadline, rounds, the race; which run was stopped, and on what evidence.

Read with patience: a record that is damaged or of another version says nothing, and the runs are reported as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.race import Race, Stop
from cpu_codegen.run_names import GROUP
from cpu_codegen.store import RunFolder


def group_record(path: Path) -> dict[str, Any]:
    """group.json of a folder; {} where there is none that can be read."""
    try:
        record = json.loads((path / GROUP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def stop_of(run: Path) -> Stop | None:
    """Why the race of its group stopped this run (on the first of its suites), None where it did not or the run is in no group."""
    return next(iter(stops_of(run)), None)


def stops_of(run: Path) -> tuple[Stop, ...]:
    """The same for each suite that had problems left."""
    record, folder = group_record(run.resolve().parent), run.resolve().name
    names = {folder, *(m.get("name") for m in _dicts(record.get("models")) if m.get("folder") == folder)}
    race = record.get("race")
    stops = _dicts(race.get("stops")) if isinstance(race, dict) else []
    known = {field.name for field in fields(Stop)}
    whole = [s for s in stops if known - {"suite"} <= s.keys() <= known]  # older records name no suite
    return tuple(Stop(**s) for s in whole if s.get("model") in names)


def race_of(group: Path) -> Race | None:
    """The race's log, None where there was none or another version wrote it."""
    record = group_record(group).get("race")
    try:
        return Race.from_record(record) if isinstance(record, dict) else None
    except (KeyError, TypeError, ValueError):
        return None


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def shown_name(run: Path, model: str) -> str:
    """The folder of a model that the race names: what a report calls the run."""
    models = _dicts(group_record(run.resolve().parent).get("models"))
    return next((str(m["folder"]) for m in models if m.get("name") == model and m.get("folder")), model)


def groups_of(runs: Sequence[Path]) -> list[Path]:
    """The groups of which more than one of these runs comes."""
    parents = [run.resolve().parent for run in runs]
    return [path for path in dict.fromkeys(parents) if parents.count(path) > 1 and group_record(path)]


def common_blocks(first: Path, second: Path) -> set[str] | None:
    """`suite id` of the problems in the last round that both runs finished; None where no rounds bind them, or both are whole."""
    parent = first.resolve().parent
    if second.resolve().parent != parent or all(
        RunFolder(run).manifest().get("status") == "finished" for run in (first, second)
    ):
        return None
    names = {first.resolve().name, second.resolve().name}
    rounds = [r for r in _dicts(group_record(parent).get("rounds")) if names <= set(r.get("models", []))]
    return set(map(str, rounds[-1].get("problems", []))) if rounds else None


def within(samples: Sequence[dict[str, Any]], blocks: set[str] | None) -> list[dict[str, Any]]:
    """The samples of these blocks; all where there are none."""
    return [s for s in samples if blocks is None or f"{s['suite']} {s['problem_id']}" in blocks]


def group_facts(path: Path) -> dict[str, Any]:
    """What `-o json` says of a group beside its runs."""
    record, sessions = group_record(path), _dicts(group_record(path).get("sessions"))
    known = {name: record.get(name) for name in ("status", "models", "order_seed", "rounds", "race")}
    return {"group": path.name, **known, "options": sessions[-1].get("options") if sessions else None}


def group_notes(path: Path) -> list[str]:
    """Status, deadline, rounds, race and failed models in short sentences."""
    record = group_record(path)
    models = _dicts(record.get("models"))
    said = [
        f"group of {count_of(len(models), 'model')}: {record.get('status', 'unknown')}",
        *_deadline(record),
        *_rounds(record),
    ]
    failed = [f"{m.get('folder')}: {m['error']}" for m in models if m.get("error")]
    return [*said, *_race(record), *(f"failed: {error}" for error in failed)]


def _deadline(record: dict[str, Any]) -> list[str]:
    sessions = _dicts(record.get("sessions"))
    options = sessions[-1].get("options") if sessions else None
    asked = options if isinstance(options, dict) else {}
    said = [f"--max-hours {asked['max_hours']:g}"] if isinstance(asked.get("max_hours"), int | float) else []
    said += [f"--until {asked['until']}"] if asked.get("until") else []
    return [f"deadline: {', '.join(said)}, from {sessions[-1].get('started_utc', 'unknown')}"] if said else []


def _rounds(record: dict[str, Any]) -> list[str]:
    ends = [str(r.get("n")) for r in _dicts(record.get("rounds"))]
    if not ends:
        return []
    noun = "problem" if ends == ["1"] else "problems"
    return [
        f"rounds: after {', '.join(ends)} {noun} of each suite; models are compared on the blocks that both finished"
    ]


def _race(record: dict[str, Any]) -> list[str]:
    race = record.get("race")
    if not isinstance(race, dict):
        return []
    looks = len(_dicts(race.get("looks")))
    stops = dict.fromkeys(f"{s.get('model')} at look {s.get('look')}" for s in _dicts(race.get("stops")))
    return [f"race: {count_of(looks, 'look')}, stopped: {', '.join(stops) or 'nobody'}"]
