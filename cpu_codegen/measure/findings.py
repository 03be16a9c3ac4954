"""What the text of a passed answer shows, as named findings that a program has or has not. Pure; counts, never judgements."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]

FINDINGS = (
    "third_party_imports",
    "unknown_imports",
    "dangerous_calls",
    "unused_imports",
    "bare_excepts",
    "mutable_defaults",
    "bandit",
    "ruff",
    "unreached_lines",
)
"""`bandit`: its checks as ruff has them (S…); `ruff`: all other rules; `unreached_lines`: lines that no test executes."""


def has_finding(record: Record, name: str) -> bool | None:
    """Has the program this finding? None where nobody looked (ruff not installed, text not parsed, program not traced)."""
    if name == "unreached_lines":
        unreached = record.get("unreached")
        return None if unreached is None else bool(unreached["lines"])
    static = record.get("static")
    if not static:
        return None
    if name in ("bandit", "ruff"):
        return _by_ruff(static.get("ruff"), name)
    return bool(static[name])


def _by_ruff(rules: Mapping[str, int] | None, name: str) -> bool | None:
    if rules is None:
        return None
    return any(rule.startswith("S") == (name == "bandit") for rule in rules)


def counted(records: Sequence[Record], name: str) -> tuple[int, int] | None:
    """How many programs have the finding, of how many that were looked at; None where none was."""
    seen = [found for record in records if (found := has_finding(record, name)) is not None]
    return (sum(seen), len(seen)) if seen else None


def by_name(records: Sequence[Record], field: str) -> dict[str, int]:
    """Programs by what exactly was found: rules of ruff, names of calls, names of modules; the commonest first."""
    tally: Counter[str] = Counter()
    for record in records:
        tally.update(set((record.get("static") or {}).get(field) or ()))
    return dict(sorted(tally.items(), key=lambda item: (-item[1], item[0])))
