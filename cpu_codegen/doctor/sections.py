"""The shape of what doctor finds, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from cpu_codegen.counts import count_of
from cpu_codegen.machine import Machine, fingerprint


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that costs speed or safety, and what to do about it."""

    text: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Section:
    """One line or a few for people (`lines`), the same as data (`facts`), and warnings.

    `refused`: this machine cannot run what was asked for (exit code 3).
    """

    name: str
    lines: tuple[str, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[Advice, ...] = ()
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Context:
    """What the sections look at."""

    machine: Machine
    allow_weak: bool = False


def examine(*, allow_weak: bool = False) -> list[Section]:
    """All sections, in order. Takes about a second: isolation is attacked, llama.cpp is asked in a process of its own."""
    context = Context(fingerprint(), allow_weak)
    return [section(context) for section in sections()]


def sections() -> tuple[Callable[[Context], Section], ...]:
    """The functions that make the sections."""
    from cpu_codegen.doctor import caches, hardware, isolation, software

    return (
        hardware.cpu,
        hardware.llama_cpp,
        hardware.threads,
        hardware.load,
        hardware.memory,
        hardware.power,
        hardware.energy,
        isolation.isolation,
        hardware.disk,
        caches.caches,
        software.python,
        software.environment,
    )


def as_text(found: list[Section]) -> str:
    """Names in a column, then the warnings with what to do."""
    lines: list[str] = []
    for section in found:
        first, *rest = section.lines or ("unknown",)
        lines.append(f"{section.name:<11}{first}")
        lines += [" " * 11 + line for line in rest]
    warnings = [warning for section in found for warning in section.warnings]
    lines.append(count_of(len(warnings), "warning") + (":" if warnings else ""))
    lines += [f"  {warning.text}.   try: {warning.remedy}" for warning in warnings]
    return "\n".join(lines) + "\n"


def as_data(found: list[Section]) -> dict[str, Any]:
    """Sections by name and the list of warnings."""
    return {
        **{section.name: dict(section.facts) for section in found},
        "warnings": [asdict(warning) for section in found for warning in section.warnings],
        "refused": [section.name for section in found if section.refused],
    }
