"""models.yaml → ModelSpecs: the packaged registry, with the user's own file merged over it.

A user's entry of a known alias replaces the fields that it names, and adds or replaces files by quantization; any other entry is
new.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, get_args

from cpu_codegen.errors import UsageError
from cpu_codegen.models.catalogue_cache import Parts, cache_file, load_parts, store_parts
from cpu_codegen.models.families import Family, advice_of, families, with_family
from cpu_codegen.models.spec import CommercialUse, Elsewhere, Geometry, Kind, ModelSpec, Published, Thinking
from cpu_codegen.models.splits import split_parts
from cpu_codegen.packaged import demo_model, models_yaml
from cpu_codegen.places import config_dir
from cpu_codegen.sizes import format_bytes, parse_bytes

if TYPE_CHECKING:
    from cpu_codegen.models.yaml_fields import Fields

# which file `-m ALIAS` means when several quantizations are listed; the first that is there
PREFERRED_QUANTS = ("q4_k_m", "q4_0", "q8_0")

ALIAS = r"[a-z0-9][a-z0-9._-]{0,79}"
QUANT = r"[a-z0-9][a-z0-9._-]{0,39}"
REPO = r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*"
FILE = r"(?!/)(?!.*\.\.)[^\\:*?\"<>|\x00-\x1f]{1,300}\.gguf"
REVISION = r"(?!.*\.\.)[\w][\w./-]{0,199}"
SHA256 = r"[0-9a-f]{64}"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Specs by alias and quantization, in the order of the files; other names of aliases; sets to begin with by free RAM."""

    models: dict[str, dict[str, ModelSpec]]
    also: dict[str, str]
    starter_sets: dict[int, tuple[str, ...]]

    def alias_of(self, name: str) -> str:
        """The alias that a name means. UsageError with the nearest names otherwise."""
        wanted = name.lower()
        alias = self.also.get(wanted, wanted)
        if alias in self.models:
            return alias
        import difflib

        near = difflib.get_close_matches(wanted, [*self.models, *self.also], n=3, cutoff=0.5)
        raise UsageError(
            f"no model {name!r}" + (f"; near: {', '.join(near)}" if near else ""),
            remedy="cpu-codegen models list, or a path, or hf:user/repo:quant",
        )

    def default(self, alias: str) -> ModelSpec:
        """The file that an alias without a quantization means."""
        quants = self.models[alias]
        return next((quants[quant] for quant in PREFERRED_QUANTS if quant in quants), next(iter(quants.values())))

    def specs(self) -> list[ModelSpec]:
        """Every file."""
        return [spec for quants in self.models.values() for spec in quants.values()]

    def starters(self, ram_bytes: int) -> list[ModelSpec]:
        """The usual file of each model to begin with: the set of the largest size that so much free RAM holds."""
        sizes = [size for size in self.starter_sets if size <= ram_bytes]
        if not sizes:
            least = format_bytes(min(self.starter_sets, default=0))
            raise UsageError(f"no starter set for under {least}", remedy="cpu-codegen recommend --as-if ram=500M")
        return [self.default(alias) for alias in self.starter_sets[max(sizes)]]


@dataclass(slots=True)
class _Entry:
    """One alias while files are merged: model-level facts and files, both as ModelSpec fields."""

    source: Fields
    facts: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    also: tuple[str, ...] = ()
    repo: str = ""


def user_file() -> Path:
    """The user's own registry."""
    return config_dir() / "models.yaml"


def load_catalogue(extra: Path | None = None) -> Catalogue:
    """The packaged registry, under the user's file, under `extra` (--models FILE). UsageError names line and field."""
    if extra is not None and not extra.is_file():
        raise UsageError(f"no file {extra}", remedy="--models with a YAML file of models")
    paths = [models_yaml(), user_file(), *([extra] if extra else [])]
    present = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in paths if path.is_file())
    return _load(present)


@lru_cache(maxsize=4)
def _load(present: tuple[tuple[Path, int, int], ...]) -> Catalogue:
    stored = cache_file((present, str(demo_model())))
    parts = load_parts(stored)
    if parts is None:
        parts = _parse([path for path, _, _ in present])
        store_parts(stored, parts)
    specs, also, starters = parts
    models: dict[str, dict[str, ModelSpec]] = {}
    for spec in specs:
        models.setdefault(spec.alias, {})[spec.quant] = spec
    return Catalogue(models, also, starters)


def _parse(paths: list[Path]) -> Parts:
    from cpu_codegen.models.yaml_fields import read_yaml

    entries: dict[str, _Entry] = {}
    starters: dict[int, tuple[str, ...]] = {}
    known: dict[str, Family] = {}
    for path in paths:
        top = read_yaml(path)
        schema = top.number("schema")
        if schema not in (None, 1):
            raise top.wrong(top.node, f"schema {schema} is not known, 1 is")
        starters.update(_starter_sets(top))
        known.update(families(top.mapping("thinking_families")))
        models = top.mapping("models")
        if models is not None:
            for alias, source in models.each():
                _merge(entries, alias, source)
        top.done()
    also = {name: alias for alias, entry in entries.items() for name in entry.also}
    specs = [spec for alias, entry in entries.items() for spec in _specs(alias, entry).values()]
    return [with_family(spec, known) for spec in specs], also, starters


def _starter_sets(top: Fields) -> dict[int, tuple[str, ...]]:
    sets = top.mapping("starter_sets")
    return {} if sets is None else {parse_bytes(size): sets.texts(size, ALIAS) for size in sets.names()}


def _merge(entries: dict[str, _Entry], alias: str, source: Fields) -> None:
    if not re.fullmatch(ALIAS, alias):
        raise source.wrong(source.node, "an alias is lower-case letters, digits, dots and dashes")
    entry = entries.setdefault(alias, _Entry(source))
    entry.source = source
    entry.facts.update({name: value for name, value in _model_facts(source).items() if value not in (None, "", {}, ())})
    entry.also += source.texts("also", ALIAS)
    entry.repo = source.text("repo", REPO) or entry.repo
    files = source.mapping("files")
    if files is not None:
        for quant, file_source in files.each():
            if not re.fullmatch(QUANT, quant):
                raise file_source.wrong(file_source.node, "a quantization is written in lower case, as q4_k_m")
            entry.files[quant] = _file_facts(file_source, entry.repo)
    source.done()
    if not entry.files:
        raise source.missing("files")


def _model_facts(source: Fields) -> dict[str, Any]:
    inner = source.mapping("sources")
    return {
        "family": source.text("family"),
        "kind": source.choice("kind", get_args(Kind)),
        "original": source.text("original", REPO),
        "parameters": source.number("parameters"),
        "active_parameters": source.number("active_parameters"),
        "context": source.number("context"),
        "thinking": source.choice("thinking", get_args(Thinking)),
        "prompt_format": source.text("prompt_format", r"[\w.-]+"),
        "licence": source.text("licence"),
        "commercial_use": source.choice("commercial_use", get_args(CommercialUse)),
        "licence_note": source.text("licence_note"),
        "geometry": _geometry(source.mapping("geometry")),
        "geometry_note": source.text("geometry_note"),
        "advice": advice_of(source.mapping("sampling")),
        "published": tuple(_published(one) for one in source.mappings("published")),
        "elsewhere": tuple(_elsewhere(one) for one in source.mappings("elsewhere")),
        "sources": {name: inner.text(name) or "" for name in inner.names()} if inner else {},
    }


def _geometry(source: Fields | None) -> Geometry | None:
    if source is None:
        return None
    values: dict[str, Any] = {
        "architecture": source.text("architecture", r"[\w-]+"),
        "tied_head": source.flag("tied_head"),
    }
    values |= {part.name: source.number(part.name) for part in fields(Geometry) if part.name not in values}
    given = {name: value for name, value in values.items() if value is not None}
    given.setdefault("vocabulary", 0)  # not known: the plan takes a usual one
    for part in ("architecture", "layers", "width", "heads", "kv_heads", "head_size"):
        if part not in given:
            # a shape with holes cannot be computed with: the plan then reads the file's header instead
            source.done()
            return None
    source.done()
    return Geometry(**given)


def _published(source: Fields) -> Published:
    scores, setting, origin = source.reals("scores"), source.text("setting"), source.text("source")
    if not scores or not setting or not origin:
        raise source.wrong(source.node, "a published score needs scores, setting and source")
    found = Published(scores, setting, origin, source.text("precision") or "", source.text("date") or "")
    source.done()
    return found


def _elsewhere(source: Fields) -> Elsewhere:
    repo, file, origin = source.text("repo", REPO), source.text("file", FILE), source.text("source")
    if not (repo and file and origin):
        raise source.wrong(source.node, "another publisher's file needs repo, file and source")
    found = Elsewhere(
        repo=repo,
        file=file,
        source=origin,
        sha256=source.text("sha256", SHA256) or "",
        size_bytes=source.number("bytes"),
        revision=source.text("revision", REVISION) or "",
    )
    source.done()
    return found


def _file_facts(source: Fields, repo: str) -> dict[str, Any]:
    """The fields of one GGUF: in a repo, at a path, or packaged."""
    facts: dict[str, Any] = {
        "repo": source.text("repo", REPO) or repo,
        "revision": source.text("revision", REVISION) or "",
        "sha256s": source.texts("sha256", SHA256),
        "sizes": source.numbers("bytes"),
        "source": source.text("source"),
        "note": source.text("note") or "",
    }
    file, path, packaged = source.text("file", FILE), source.text("path"), source.text("packaged", r"[\w-]+\.gguf")
    source.done()
    if sum(where is not None for where in (file, path, packaged)) != 1:
        raise source.wrong(source.node, "a file needs exactly one of: file (with repo), path, packaged")
    if facts["source"] is None:
        raise source.missing("source")
    if file is not None:
        if not facts["repo"]:
            raise source.missing("repo")
        facts["files"] = split_parts(file)
    else:
        local = str(Path(path).expanduser()) if path is not None else str(demo_model().with_name(packaged or ""))
        facts |= {"repo": "", "files": (PurePosixPath(Path(local).name).name,), "paths": split_parts(local)}
    count = len(facts.get("paths") or facts["files"])
    for name in ("sha256s", "sizes"):
        if facts[name] and len(facts[name]) != count:
            raise source.wrong(source.node, f"{name.rstrip('s')} is given {len(facts[name])} times for {count} parts")
    return facts


def _specs(alias: str, entry: _Entry) -> dict[str, ModelSpec]:
    base = ModelSpec(name=alias, alias=alias, **entry.facts)
    return {quant: replace(base, name=f"{alias}@{quant}", quant=quant, **facts) for quant, facts in entry.files.items()}
