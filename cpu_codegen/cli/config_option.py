"""`--config FILE` of `run`: the file's values become the defaults of the other options, so that what is typed goes first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from cpu_codegen.errors import UsageError


def defaults_from_file(context: typer.Context, path: Path | None) -> Path | None:
    """An eager option's callback. Every value is tried on its option first: what it refuses is refused with file and line."""
    if path is None:
        return None
    from cpu_codegen.config_file import read_config

    parameters = {parameter.name: parameter for parameter in context.command.params if parameter.name}
    found = read_config(path, list(parameters))
    defaults: dict[str, Any] = dict(context.default_map or {})
    for name, entry in found.items():
        try:
            parameters[name].process_value(context, entry.value)
        except Exception as error:
            if not hasattr(error, "format_message"):  # typer carries a click of its own: its errors have no public home
                raise
            raise UsageError(f"{entry.where}: {error.format_message()}", remedy="cpu-codegen run --help") from None
        _check_word(name, entry.value, entry.where)
        defaults[name] = entry.value
    context.default_map = defaults
    return path


def _check_word(name: str, value: Any, where: str) -> None:
    """Words of closed sets, which the options themselves check later, without a line."""
    from cpu_codegen.schema import COMPARATORS, EXTRACT_MODES, LEVELS

    known: dict[str, tuple[str, ...]] = {
        "level": LEVELS,
        "extract": EXTRACT_MODES,
        "comparator": COMPARATORS,
        "sampling": ("recommended",),
    }
    for word in value if isinstance(value, list) else [value]:
        if name in known and word not in known[name]:
            raise UsageError(f"{where}: {word!r} is none of {', '.join(known[name])}", remedy="mend that line")
