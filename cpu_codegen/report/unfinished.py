"""Which answers were begun and never came: in flight when a run was interrupted, killed, or ended by force.

They leave no line in generations.jsonl. What a deadline cut off is named in the manifest. A kill -9 names nothing, but samples
begin in the run's order, so what was in flight are the first missing ones of the scope, as many as the engine's width. Counting a
few too many only widens an interval; counting none would quietly drop the answers that take long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cpu_codegen.errors import CpuCodegenError

Sample = dict[str, Any]
_OPEN = ("running", "interrupted")


def unfinished(manifest: dict[str, Any], samples: Sequence[Sample]) -> list[Sample]:
    """One record per answer that was begun and is not there: what it would answer, and outcome None."""
    done = {_name(sample) for sample in samples}
    named = {_name(record): record for record in manifest.get("unfinished", []) if _name(record) not in done}
    missing = [*named.values(), *(r for r in _in_flight(manifest, done) if _name(r) not in named)]
    levels: dict[tuple[str, str], str] = {(s["suite"], s["problem_id"]): s["level"] for s in samples}
    for record in missing:
        record.setdefault("level", _level(record, levels))
    return [{**record, "outcome": None, "finish_reason": None} for record in missing]


def _in_flight(manifest: dict[str, Any], done: set[tuple[str, str, str, int]]) -> list[Sample]:
    """What was being answered when a run that has not ended was last heard of."""
    if manifest.get("status") not in _OPEN:
        return []
    width = next((s["width"] for s in reversed(manifest.get("sessions", [])) if s.get("width")), 0)
    return [record for record in scope_of(manifest) if _name(record) not in done][:width]


def _name(record: Sample) -> tuple[str, str, str, int]:
    return (record["suite"], record["problem_id"], record["style"], record["index"])


def scope_of(manifest: dict[str, Any]) -> Iterator[Sample]:
    """Every sample that the run's scope asks for, in the order in which they begin."""
    scope = manifest.get("scope", {})
    asked = set(scope.get("problems", []))
    for suite, facts in manifest.get("suites", {}).items():
        for problem in facts.get("order", []):
            if problem in asked:
                for style in scope.get("styles", []):
                    for index in range(int(scope.get("n", 1))):
                        yield {"suite": suite, "problem_id": problem, "style": style, "index": index}


def _level(record: Sample, known: dict[tuple[str, str], str]) -> str:
    """The problem's level: from another sample of it, else from the suite where it is at hand, else none."""
    name = (record["suite"], record["problem_id"])
    if name not in known:
        known |= _levels_of(record["suite"])
    return known.get(name, "")


def _levels_of(suite: str) -> dict[tuple[str, str], str]:
    from cpu_codegen.suites.load import load_suite

    try:
        return {(suite, problem.id): problem.level for problem in load_suite(suite, offline=True)}
    except CpuCodegenError:
        return {}
