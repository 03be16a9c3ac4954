"""`models add`: writes an entry into the user's own models.yaml, beside what stands there, comments and all."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cpu_codegen.errors import MachineError, UsageError
from cpu_codegen.models.catalogue import ALIAS, load_catalogue, user_file
from cpu_codegen.models.digests import write_atomically
from cpu_codegen.models.spec import ModelSpec

_HEAD = "# Your own models; cpu-codegen merges them over its registry.\nschema: 1\nmodels:\n"


def add_entry(alias: str, spec: ModelSpec, *, licence: str | None = None) -> tuple[str, Path]:
    """`alias@quant` and the file that it now stands in. UsageError when the name is taken or cannot be one."""
    if not re.fullmatch(ALIAS, alias):
        raise UsageError(f"{alias!r} cannot be an alias", remedy="lower-case letters, digits, dots and dashes")
    catalogue, target = load_catalogue(), user_file()
    if alias in catalogue.models or alias in catalogue.also:
        raise UsageError(f"there is a model {alias!r} already", remedy=f"another name, or edit {target}")
    old = target.read_text(encoding="utf-8") if target.is_file() else _HEAD
    new = _inserted(old, target, entry_text(alias, spec, licence=licence))
    with _tried(new) as trial:
        load_catalogue(trial)
    try:
        write_atomically(target, new)
    except OSError as error:
        raise MachineError(
            f"cannot write {target}: {error.strerror or error}", remedy="check permissions, or set XDG_CONFIG_HOME"
        ) from error
    return f"{alias}@{_quant(spec)}", target


def entry_text(alias: str, spec: ModelSpec, *, licence: str | None) -> str:
    """The entry as YAML, every text quoted."""
    lines = [f"  {alias}:"]
    known = {
        "family": spec.family,
        "kind": spec.kind,
        "parameters": spec.parameters,
        "context": spec.context,
        "prompt_format": spec.prompt_format,
        "licence": licence or spec.licence,
    }
    lines += [f"    {name}: {_quoted(value)}" for name, value in known.items() if value]
    lines += ["    files:", f"      {_quant(spec)}:"]
    lines += [f"        {name}: {_quoted(value)}" for name, value in _file_fields(spec).items() if value]
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:
    """JSON, which YAML reads as it stands but for characters beyond 16 bits: those YAML writes with eight digits."""
    text = json.dumps(value, ensure_ascii=False)
    return re.sub(r"[^ -~]", lambda found: f"\\U{ord(found[0]):08x}", text)


def _file_fields(spec: ModelSpec) -> dict[str, Any]:
    where: dict[str, Any] = (
        {"repo": spec.repo, "file": spec.files[0], "revision": spec.revision}
        if spec.repo
        else {"path": str(Path(spec.paths[0]).absolute())}
    )
    pins = {"bytes": list(spec.sizes), "sha256": list(spec.sha256s)}
    return {**where, **pins, "source": spec.source or "added by hand"}


def _quant(spec: ModelSpec) -> str:
    return spec.quant or "file"


def _inserted(old: str, target: Path, entry: str) -> str:
    """The text with `entry` right after the line `models:`; only a block written line by line can take one."""
    match = re.search(r"^models:[ \t]*(#.*)?(\r?\n|$)", old, re.MULTILINE)
    if match is None:
        if re.search(r"^models:", old, re.MULTILINE):
            raise UsageError(f"{target} keeps its models in braces", remedy="add the entry there by hand")
        return old.rstrip("\n") + ("\n" if old.strip() else "") + "models:\n" + entry
    indent = re.search(r"^( +)[^\s#]", old[match.end() :], re.MULTILINE)
    step = len(indent[1]) if indent else 2
    moved = "".join(" " * (step - 2) + line for line in entry.splitlines(keepends=True)) if step > 2 else entry
    if step == 1:
        moved = "".join(line[1:] for line in entry.splitlines(keepends=True))
    head = old[: match.end()]
    return (head if head.endswith("\n") else head + "\n") + moved + old[match.end() :]


@contextmanager
def _tried(text: str) -> Iterator[Path]:
    """The new text as a file elsewhere, so that a mistake is found before anything is replaced."""
    with tempfile.TemporaryDirectory() as folder:
        trial = Path(folder) / "models.yaml"
        trial.write_text(text, encoding="utf-8")
        yield trial
