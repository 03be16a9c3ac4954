"""`run --config FILE`: a YAML file, or the `config` object of a manifest.json or group.json → options with their lines; and back.

A file's names are those of `run`'s options (`max-tokens` is `max_tokens`), several models, suites, styles, levels as lists; what
belongs together stands together: `sampling` (temperature, top_p, top_k, min_p; or the word recommended) and `budgets` (max_tokens,
efficiency_budget, max_hours, until). Covered: names, shapes, lines. Not covered: what values an option takes (cli/config_option.py
asks the option). docs/formats.md shows the schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cpu_codegen.config import Campaign, RunConfig, Settings
from cpu_codegen.errors import UsageError
from cpu_codegen.models.yaml_fields import Fields, read_yaml

SECTIONS = {
    "sampling": ("temperature", "top_p", "top_k", "min_p"),
    "budgets": ("max_tokens", "efficiency_budget", "max_hours", "until"),
}
LISTS = {"models": "model", "suites": "suites", "styles": "style", "levels": "level", "ids": "ids"}
"""Names of lists in a file → names of the options' parameters."""

ONLY_TYPED = ("out", "new", "force", "allow_weak_isolation", "output", "json", "config_file", "help")
"""Where the results go and what lowers a guard is said on the command line, not by a file that came from somewhere."""

REMEDY = "mend that line; docs/formats.md shows the format"


@dataclass(frozen=True, slots=True)
class Value:
    """What a file says for one option: a text, or several; and where."""

    where: str
    value: str | bool | list[str]


def read_config(path: Path, known: Sequence[str]) -> dict[str, Value]:
    """Parameter name → value. `known`: the parameters that `run` has. UsageError with file, line and field."""
    fields = read_yaml(path, remedy=REMEDY)
    if "config" in fields.names():  # of a manifest only that
        inner = fields.mapping("config")
        if inner is not None:
            fields = inner
    found: dict[str, Value] = {}
    for name in fields.names():
        if name in SECTIONS and fields.is_mapping(name):
            section = fields.mapping(name)
            assert section is not None, "names() lists what is there"
            for inner_name in section.names():
                _take(section, inner_name, SECTIONS[name], found)
            continue
        _take(fields, name, _top_level(known), found)
    return found


def _top_level(known: Sequence[str]) -> tuple[str, ...]:
    """Names that may stand at the top of a file."""
    inside = {name for names in SECTIONS.values() for name in names}
    renamed = {parameter: name for name, parameter in LISTS.items()}
    return tuple(renamed.get(name, name) for name in known if name not in ONLY_TYPED and name not in inside)


def _take(fields: Fields, name: str, allowed: Sequence[str], found: dict[str, Value]) -> None:
    where, value = fields.value(name)
    if name in ONLY_TYPED:
        raise UsageError(f"{where}: say it on the command line: --{name.replace('_', '-')}", remedy="drop that line")
    if name not in allowed:
        home = next((section for section, names in SECTIONS.items() if name in names), None)
        belongs = f"; it belongs under {home}" if home else f"; known are {', '.join(allowed)}"
        raise UsageError(f"{where}: no such field{belongs}", remedy=REMEDY)
    if value is None:
        return
    if name == "think" and isinstance(value, bool):
        value = "on" if value else "off"  # YAML reads those words as true and false
    if name in LISTS:
        value = value if isinstance(value, list) else [str(value)]
    elif isinstance(value, list):
        raise UsageError(f"{where}: expected one value, found a list", remedy=REMEDY)
    found[LISTS.get(name, name)] = Value(where, value)


# ── and back: what a manifest keeps ──────────────────────────────────────────────────────────────────────────────────

_NAMES = {
    "samples_per_problem": "n",
    "efficiency_budget_s": "efficiency_budget",
    "max_ram_bytes": "max_ram",
    "engine_url": "engine",
    "ctx_tokens": "ctx",
}
LEFT_OUT = ("model", "settings", "out", "new", "force", "allow_weak_isolation")
LEFT_OUT_SETTINGS = ("engine", "limits", "sampling", "recommended", "kv_type_k", "kv_type_v")


def config_record(config: RunConfig, campaign: Campaign | None = None) -> dict[str, Any]:
    """The `config` object: a file in the form above that asks for the same again."""
    models = campaign.models if campaign is not None else (config.model,)
    fields: dict[str, Any] = {name: getattr(config, name) for name in RunConfig.__dataclass_fields__}
    settings = {name: getattr(config.settings, name) for name in Settings.__dataclass_fields__}
    record: dict[str, Any] = {"models": [model for model in models if model]}
    record |= {_NAMES.get(name, name): _told(name, v) for name, v in fields.items() if name not in LEFT_OUT}
    record |= {_NAMES.get(name, name): _told(name, v) for name, v in settings.items() if name not in LEFT_OUT_SETTINGS}
    record["kv_type"] = f"k={config.settings.kv_type_k},v={config.settings.kv_type_v}"
    sampling = config.settings.sampling
    record["sampling"] = (
        "recommended" if config.settings.recommended else {n: getattr(sampling, n) for n in SECTIONS["sampling"]}
    )
    if campaign is not None:
        record |= {n: getattr(campaign, n) for n in ("max_hours", "until", "race", "screen")}
    record["budgets"] = {name: record.pop(name) for name in SECTIONS["budgets"] if record.get(name) is not None}
    return _without_nothing(record)


def _told(name: str, value: Any) -> Any:
    if name == "efficiency_budget_s":
        return f"{value:.15g}s"  # never 1e+06: an option that is read back
    return list(value) if isinstance(value, tuple) else value


def _without_nothing(record: Mapping[str, Any]) -> dict[str, Any]:
    nothing: tuple[Any, ...] = (None, [], {})
    return {name: v for name, v in record.items() if v not in nothing and not (name == "stability" and v == 0)}
