"""Names → ModelSpec → ModelFile: what `-m` accepts, and the checked file behind it.

    alias                          the registry's entry, its preferred quantization
    alias@quant                    one file of it (a quantization that is not listed is looked for in the entry's repo)
    hf:user/repo[:quant]           the file of a repo on the hub
    hf:user/repo[@rev]/path.gguf   exactly that file
    ollama:name[:tag]              a model that Ollama has downloaded
    path/to/model.gguf             a file here; the first part of a split one

Covered: naming, finding local copies, checking them by size and digest. Not covered: fetching (download.py).
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path, PurePosixPath

from cpu_codegen.errors import IntegrityError, UnavailableError, UsageError
from cpu_codegen.models.caches import cached_files, find_cached, find_ollama
from cpu_codegen.models.catalogue import FILE, REPO, REVISION, Catalogue, load_catalogue
from cpu_codegen.models.digests import Progress, combined_sha256, file_sha256
from cpu_codegen.models.quants import choose_file, quant_of
from cpu_codegen.models.spec import ModelSpec as ModelSpec
from cpu_codegen.models.splits import split_parts
from cpu_codegen.schema import ModelFile
from cpu_codegen.sizes import format_bytes

_ONE_REVISION = r"refs/\w+/[\w.-]+|[\w.-]+"
_HUB_FILE = re.compile(rf"({REPO}?)(?:@({_ONE_REVISION}))?/({FILE})")
_HUB_QUANT = re.compile(rf"({REPO})(?:@({REVISION}))?(?::([\w.-]+))?")


def resolve(name: str, *, models_file: Path | None = None, offline: bool = False) -> ModelSpec:
    """The spec that a name means. UsageError for a bad name, with the nearest good ones.

    The hub is asked only for what has to be looked up there: `:quant`, and quantizations that the registry does not list.
    """
    if name.startswith("hf:"):
        return _known(_hub_spec(name, offline=offline), load_catalogue(models_file))
    if name.startswith("ollama:"):
        return _ollama_spec(name)
    if name.lower().endswith(".gguf") or Path(name).is_absolute() or name.startswith(("./", "../", "~")):
        return _path_spec(name)
    catalogue = load_catalogue(models_file)
    alias_name, _, quant = name.partition("@")
    alias = catalogue.alias_of(alias_name)
    if not quant:
        return catalogue.default(alias)
    listed = catalogue.models[alias].get(quant.lower())
    return listed or _unlisted(catalogue, alias, quant.lower(), offline=offline)


def _unlisted(catalogue: Catalogue, alias: str, quant: str, *, offline: bool) -> ModelSpec:
    """A quantization that the entry does not list, from the same repo, without the listed file's facts."""
    base = catalogue.default(alias)
    if not base.repo:
        raise UsageError(f"{alias} has no {quant}", remedy=f"one of {', '.join(catalogue.models[alias])}")
    files = choose_file(base.repo, repo_files(base.repo, "", offline=offline), quant)
    return replace(
        base,
        name=f"{alias}@{quant}",
        quant=quant,
        revision="",
        files=files,
        sha256s=(),
        sizes=(),
        note="",
        source="the repo's own list of files",
    )


def _hub_spec(name: str, *, offline: bool) -> ModelSpec:
    body = name[len("hf:") :]
    exact = _HUB_FILE.fullmatch(body)
    if exact and body.lower().endswith(".gguf"):
        repo, revision, file = exact[1], exact[2] or "", exact[3]
        return ModelSpec(name, quant=quant_of(file), repo=repo, revision=revision, files=split_parts(file))
    match = _HUB_QUANT.fullmatch(body)
    if match is None:
        raise UsageError(
            f"{name!r} is no name on the hub", remedy="hf:user/repo:quant or hf:user/repo@revision/file.gguf"
        )
    repo, revision, quant = match[1], match[2] or "", match[3] or ""
    files = choose_file(repo, repo_files(repo, revision, offline=offline), quant)
    return ModelSpec(name, quant=quant_of(files[0]), repo=repo, revision=revision, files=files)


def repo_files(repo: str, revision: str, *, offline: bool) -> list[str]:
    """The files of a repo; offline, those that are in the caches."""
    from cpu_codegen.models.hub import is_offline, list_files

    if not (offline or is_offline()):
        return list_files(repo, revision)
    files = cached_files(repo, revision)
    if not files:
        raise UnavailableError(f"nothing of {repo} is on this machine, and this is offline", remedy="drop --offline")
    return files


def _known(spec: ModelSpec, catalogue: Catalogue) -> ModelSpec:
    """The registry's facts about the same file, when it stands there (of the same revision)."""
    for listed in catalogue.specs():
        same_file = listed.repo == spec.repo and listed.files == spec.files
        if same_file and spec.revision in ("", listed.revision):
            return replace(listed, name=spec.name)
    return spec


def _ollama_spec(name: str) -> ModelSpec:
    found = find_ollama(name[len("ollama:") :])
    if found is None:
        raise UnavailableError(f"Ollama has no {name[7:]!r} on this machine", remedy="ollama list shows what it has")
    path, digest = found
    return ModelSpec(name, paths=(str(path),), files=(path.name,), sha256s=(digest,), source="Ollama's store")


def _path_spec(name: str) -> ModelSpec:
    path = Path(name).expanduser()
    parts = split_parts(str(path))
    if len(parts) > 1 and parts[0] != str(path):
        raise UsageError(f"{path.name} is a later part of a split GGUF", remedy=f"-m {parts[0]}")
    return ModelSpec(name, quant=quant_of(path.name), files=(path.name,), paths=parts, source="a file here")


def local_file(spec: ModelSpec, *, progress: Progress | None = None) -> ModelFile:
    """The model's file on this machine, checked by size and digest. UnavailableError when it is not here."""
    copies = [_find(spec, index) for index in range(len(spec.paths or spec.files))]
    digests = tuple(
        _checked(spec, path, index, trusted=trusted, progress=progress) for index, (path, trusted) in enumerate(copies)
    )
    paths = tuple(str(path) for path, _ in copies)
    return ModelFile(
        name=spec.name,
        paths=paths,
        size_bytes=sum(path.stat().st_size for path, _ in copies),
        sha256=combined_sha256(digests),
        alias=spec.alias,
        quant=spec.quant,
        source=f"hf:{spec.repo}@{spec.revision or 'main'}/{spec.files[0]}" if spec.repo else spec.source,
    )


def local_paths(spec: ModelSpec) -> list[Path]:
    """Where the parts lie, sizes checked and digests not. UnavailableError when one is not here."""
    return [_find(spec, index)[0] for index in range(len(spec.paths or spec.files))]


def is_local(spec: ModelSpec) -> bool:
    """Whether every part is here with the expected size; digests are not looked at."""
    return all(_candidates(spec, index) for index in range(len(spec.paths or spec.files)))


def _candidates(spec: ModelSpec, index: int) -> list[Path]:
    """Copies of one part whose size does not speak against them."""
    if spec.paths:
        places = [Path(spec.paths[index])]
    else:
        sha256 = spec.sha256s[index] if spec.sha256s else ""
        # a pinned digest makes the revision moot: any commit's copy will do, if it is that file
        revision = "" if sha256 else spec.revision
        places = list(find_cached(spec.repo, spec.files[index], revision, sha256=sha256))
    return [path for path in places if path.is_file() and _size_fits(spec, index, path)]


def _size_fits(spec: ModelSpec, index: int, path: Path) -> bool:
    return bool(spec.paths) or not spec.sizes or path.stat().st_size == spec.sizes[index]


def _find(spec: ModelSpec, index: int) -> tuple[Path, bool]:
    """One part's path. With several copies a pinned digest decides; `True` = its digest was confirmed on the way."""
    places = _candidates(spec, index)
    if not places:
        raise _absent(spec, index)
    if len(places) > 1 and spec.sha256s:
        for path in places:
            if file_sha256(path) == spec.sha256s[index]:
                return path, True
    return places[0], False


def _absent(spec: ModelSpec, index: int) -> UnavailableError:
    if spec.paths:
        remedy = "check the path" if not spec.alias else f"cpu-codegen models show {spec.alias}"
        return UnavailableError(f"no file {spec.paths[index]}", remedy=remedy)
    size = f" ({format_bytes(spec.size_bytes)})" if spec.size_bytes else ""
    part = f", part {index + 1} of {len(spec.files)}" if len(spec.files) > 1 else ""
    return UnavailableError(
        f"{spec.name}{part} is not on this machine{size}", remedy=f"cpu-codegen models pull {spec.name}"
    )


def _checked(spec: ModelSpec, path: Path, index: int, *, trusted: bool, progress: Progress | None) -> str:
    """The digest of a part; IntegrityError when it is not the pinned one."""
    digest = file_sha256(path, progress=progress)
    if trusted or not spec.sha256s or digest == spec.sha256s[index]:
        return digest
    raise IntegrityError(
        f"{path} is not the file that {spec.name} names: sha256 {digest[:12]}…, expected {spec.sha256s[index][:12]}…"
        f" ({PurePosixPath(spec.files[index]).name})",
        remedy=f"cpu-codegen models pull {spec.name} --again" if spec.repo else "use the right file, or mend the entry",
    )
