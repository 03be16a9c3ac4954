"""The registry as a table and as records, for `models list` and `models show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.sizes import format_bytes


def matches(spec: ModelSpec, words: Sequence[str]) -> bool:
    """Whether name, family, kind or licence hold all words."""
    text = f"{spec.name} {spec.family} {spec.kind or ''} {spec.licence}".lower()
    return all(word.lower() in text for word in words)


def listed(rows: Sequence[tuple[ModelSpec, bool]]) -> Table:
    """One row for each file, with whether it is here; ° = no digest is known."""
    columns = ("model", "file", "parameters", "kind", "licence", "here")
    return Table(columns, [_row(spec, local) for spec, local in rows], right=frozenset({"file", "parameters"}))


def _row(spec: ModelSpec, local: bool) -> tuple[Cell, ...]:
    return (
        spec.name + ("" if spec.pinned or not spec.repo else " °"),
        format_bytes(spec.size_bytes) if spec.size_bytes else None,
        parameters_text(spec),
        spec.kind,
        licence_text(spec),
        "yes" if local else "",
    )


def parameters_text(spec: ModelSpec) -> str | None:
    """`1.54 B`, for a mixture of experts with those that work on a token: `30.5 B (3.3 B active)`."""
    if not spec.parameters:
        return None
    return _billions(spec.parameters) + (
        f" ({_billions(spec.active_parameters)} active)" if spec.active_parameters else ""
    )


def _billions(count: int) -> str:
    return f"{count / 1e9:.3g} B" if count >= 1e9 else f"{count / 1e6:.3g} M"


def licence_text(spec: ModelSpec) -> str | None:
    """The tag, with a word where the text forbids commercial use or ties it to conditions."""
    if not spec.licence:
        return None
    word = {"forbidden": " · non-commercial", "conditions": " · conditions"}.get(spec.commercial_use or "", "")
    return spec.licence + word


def facts(spec: ModelSpec, *, local: bool) -> dict[str, Any]:
    """All that the registry knows of a file, for machines. Unknown facts are null."""
    from cpu_codegen.store import plain  # `models list` answers in 0.3 s, and needs it for JSON only

    record: dict[str, Any] = {name: value if value != "" else None for name, value in plain(spec).items()}
    return {**record, "bytes": spec.size_bytes, "pinned": spec.pinned, "here": local}
