"""models.yaml's `thinking_families`: how the models of a family reason, and the sampling that their authors recommend.

A section is named after a family, or after an alias where a family's models differ, and holds for entries that reason at all
(`thinking: always` or `switchable`). Tags come from a closed set, because extraction has to know them too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, get_args

from cpu_codegen.models.spec import AgainstGreedy, ModelSpec, Reasoning, SamplingAdvice
from cpu_codegen.sampling import Sampling

if TYPE_CHECKING:
    from cpu_codegen.models.yaml_fields import Fields


@dataclass(frozen=True, slots=True)
class Family:
    """One section."""

    reasoning: Reasoning
    advice: SamplingAdvice | None


def families(source: Fields | None) -> dict[str, Family]:
    """All sections by name. UsageError names line and field."""
    return {} if source is None else {name: _family(section) for name, section in source.each()}


def with_family(spec: ModelSpec, known: Mapping[str, Family]) -> ModelSpec:
    """The spec with its family's facts, where it reasons."""
    reasons = spec.thinking in ("always", "switchable")
    family = (known.get(spec.alias) or known.get(spec.family)) if reasons else None
    if family is None:
        return spec
    reasoning = family.reasoning
    if spec.thinking == "always":
        reasoning = replace(reasoning, switch="", unasked=True)
    return replace(spec, reasoning=reasoning, advice=spec.advice or family.advice)


def _family(source: Fields) -> Family:
    from cpu_codegen.extraction.fences import REASONING_TAGS  # not loaded where the registry comes from its cache

    opening, closing, sequence = (source.raw(name) for name in ("opening", "closing", "sequence"))
    if (opening, closing) not in REASONING_TAGS:
        known = ", ".join(f"{first} … {last}" for first, last in REASONING_TAGS)
        raise source.wrong(source.node, f"opening and closing are none of the known tags: {known}")
    if sequence and closing not in sequence:
        raise source.wrong(source.node, "sequence does not hold the closing tag", field="sequence")
    origin = source.text("source")
    if not origin:
        raise source.missing("source")
    switch, unasked = source.text("switch", r"[a-z_]{1,40}") or "", source.flag("unasked")
    advice = advice_of(source.mapping("sampling"))
    source.done()
    return Family(Reasoning(opening, closing, sequence, switch, origin, unasked is not False), advice)


def advice_of(source: Fields | None) -> SamplingAdvice | None:
    """A `sampling` section, of a family or of one model."""
    if source is None:
        return None
    thinking, plain = _sampling(source, "thinking"), _sampling(source, "plain")
    against: AgainstGreedy = source.choice("against_greedy", get_args(AgainstGreedy)) or "never"
    origin = source.text("source")
    if not origin:
        raise source.missing("source")
    source.done()
    return SamplingAdvice(thinking, plain, against, origin)


def _sampling(source: Fields, name: str) -> Sampling | None:
    values: dict[str, Any] | None = source.reals(name)
    if values is None:
        return None
    unknown = sorted(values.keys() - {part.name for part in fields(Sampling)})
    if unknown or not values.get("temperature"):
        problem = f"no such value {unknown[0]!r}" if unknown else "temperature is missing"
        raise source.wrong(source.node, problem, field=name)
    return Sampling(**{key: int(value) if key == "top_k" else value for key, value in values.items()})
