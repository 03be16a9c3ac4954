"""One model as a table of facts and their sources, for `models show`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields

from cpu_codegen.models.spec import Geometry, ModelSpec
from cpu_codegen.report.tables import Cell, Table
from cpu_codegen.sampling import Sampling
from cpu_codegen.sizes import format_bytes

_USE = {
    "allowed": "commercial use allowed",
    "conditions": "commercial use under conditions",
    "forbidden": "NOT for commercial use",
}


def card(spec: ModelSpec, *, others: Sequence[ModelSpec] = (), path: str | None = None) -> Table:
    """Rows of fact, value and source. What nobody knows is absent."""
    rows: list[tuple[Cell, ...]] = [(*row,) for row in _rows(spec, others, path) if row[1]]
    return Table(("fact", "value", "source"), rows, title=spec.name)


def _rows(spec: ModelSpec, others: Sequence[ModelSpec], path: str | None) -> Iterator[tuple[str, str, str]]:
    sources = spec.sources
    yield "here", path or "no", ""
    yield "repo", spec.repo, ""
    yield "revision", spec.revision, ""
    yield "file", ", ".join(spec.files), spec.source
    yield "size", format_bytes(spec.size_bytes) if spec.size_bytes else "", spec.source
    yield (
        "sha256",
        ", ".join(spec.sha256s) or ("not pinned: the first download records the hub's" if spec.repo else ""),
        "",
    )
    yield "family", spec.family, ""
    yield "kind", spec.kind or "", ""
    yield "fine-tune of", spec.original, ""
    yield "parameters", f"{spec.parameters:,}" if spec.parameters else "", sources.get("parameters", "")
    yield "active parameters", f"{spec.active_parameters:,}" if spec.active_parameters else "", ""
    yield "context", f"{spec.context:,} tokens" if spec.context else "", ""
    yield "thinking", spec.thinking or "", ""
    yield from _thinking_rows(spec)
    yield "prompt format", spec.prompt_format or "", ""
    yield "shape", _shape(spec.geometry), sources.get("geometry", "")
    yield "shape, note", spec.geometry_note, ""
    yield "licence", _licence(spec), sources.get("licence", "")
    yield "licence, note", spec.licence_note, ""
    for one in spec.published:
        scores = ", ".join(f"{suite} {value:g}" for suite, value in one.scores.items())
        precision = f"; precision {one.precision}" if one.precision else ""
        dated = f"{one.source}, {one.date}" if one.date else one.source
        yield f"published, unquantized, not measured here ({one.setting}{precision})", scores, dated
    yield "note", spec.note, ""
    for other in spec.elsewhere:
        yield "also at", other.name, other.source
    yield "other files", ", ".join(other.quant for other in others if other.quant != spec.quant), ""


def _thinking_rows(spec: ModelSpec) -> Iterator[tuple[str, str, str]]:
    """How it reasons, and the sampling that its authors recommend."""
    facts, advice = spec.reasoning, spec.advice
    if facts is not None:
        switch = (
            f"; switch {facts.switch}, {'on' if facts.unasked else 'off'} unasked" if facts.switch else "; no switch"
        )
        yield "reasoning", f"{facts.opening} … {facts.closing}{switch}", facts.source
    if advice is not None:
        for state, values in (("reasoning", advice.thinking), ("not reasoning", advice.plain)):
            if values is not None:
                yield f"sampling recommended, {state}", _sampling(values), advice.source
        against = {"never": "", "thinking": "advised against while it reasons", "always": "advised against"}
        yield "greedy decoding", against[advice.against_greedy], advice.source


def _sampling(values: Sampling) -> str:
    """`temperature 0.6, top_p 0.95, top_k 20`; what is off is left out."""
    off = Sampling()
    named = [(part.name, getattr(values, part.name)) for part in fields(values)]
    return ", ".join(f"{name} {value:g}" for name, value in named if value != getattr(off, name))


def _licence(spec: ModelSpec) -> str:
    if not spec.licence:
        return "unknown: see the publisher"
    return spec.licence + (f" ({_USE[spec.commercial_use]})" if spec.commercial_use else "")


def _shape(shape: Geometry | None) -> str:
    if shape is None:
        return ""
    kinds = {
        "with full context": shape.kv_layers,
        f"with a window of {shape.window}": shape.window_layers,
        "recurrent": shape.recurrent_layers,
    }
    layers = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    experts = f"; {shape.experts_used} of {shape.experts} experts" if shape.experts else ""
    return f"{shape.architecture}, {shape.layers} layers ({layers}) of width {shape.width}{experts}"
