"""The sandbox's part of doctor: every property attacked just now, and who held it."""

from __future__ import annotations

from collections.abc import Mapping

from cpu_codegen.doctor.sections import Advice, Context, Section
from cpu_codegen.errors import CpuCodegenError

_MEANING = {
    "reads": "files outside Python's installation stay unread",
    "hidden files": "not even their size and age are seen",
    "writes": "nothing is created, changed or removed",
    "network": "no connection of any family",
    "processes": "no child process",
    "signals": "no other process is signalled",
    "memory": "not more than its limit",
    "verdict": "a wrong answer cannot pass itself off as right",
    "leftovers": "nothing is left when it ends",
}


def isolation(context: Context) -> Section:
    """One line per property: enforced by X (verified), or NOT enforced."""
    from cpu_codegen.sandbox import open_sandbox

    try:
        with open_sandbox(allow_weak=context.allow_weak) as sandbox:
            found = sandbox.isolation
    except CpuCodegenError as error:
        advice = Advice(f"generated code cannot be run: {error}", error.remedy or "see docs/security.md")
        return Section(
            "isolation", (f"refused: {error}",), {"tier": None, "error": str(error)}, (advice,), refused=True
        )
    lines = [f"tier {found.tier}: {', '.join(found.layers)}"]
    lines += [f"  {name:<13}{in_words(enforcer)}" for name, enforcer in found.properties.items()]
    facts = {"tier": found.tier, "layers": list(found.layers)}
    properties = {
        name: {
            "enforced_by": None if is_open(who) else who,
            "verified": not is_open(who),
            "meaning": _MEANING.get(name, ""),
        }
        for name, who in found.properties.items()
    }
    return Section("isolation", tuple(lines), {**facts, "properties": properties}, _advice(found.properties))


def in_words(enforcer: str) -> str:
    """How a property is told."""
    return "NOT enforced" if is_open(enforcer) else f"enforced by {enforcer} (verified)"


def is_open(enforcer: str) -> bool:
    """Was the property breached?"""
    from cpu_codegen.sandbox.proof import NOT_ENFORCED

    return enforcer in ("", NOT_ENFORCED)


def _advice(properties: Mapping[str, str]) -> tuple[Advice, ...]:
    advice = []
    if is_open(properties["reads"]):
        text = "generated code can read your files (it can neither send nor change them)"
        advice.append(Advice(text, "a kernel with Landlock (5.13 or newer) or with user namespaces allowed"))
    elif is_open(properties["hidden files"]):
        text = "generated code can see size and age of files whose names it guesses (not read them)"
        advice.append(Advice(text, "allow user namespaces (see docs/security.md)"))
    return tuple(advice)
