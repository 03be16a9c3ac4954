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

import os
import re
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from cpu_codegen.errors import IntegrityError, UnavailableError, UsageError
from cpu_codegen.models.caches import cached_files, find_cached, find_ollama
from cpu_codegen.models.catalogue import FILE, REPO, REVISION, Catalogue, load_catalogue
from cpu_codegen.models.digests import Progress, combined_sha256, file_sha256
from cpu_codegen.models.quants import choose_file, quant_of
from cpu_codegen.models.spec import Elsewhere
from cpu_codegen.models.spec import ModelSpec as ModelSpec
from cpu_codegen.models.splits import split_parts
from cpu_codegen.sizes import format_bytes

if TYPE_CHECKING:
    from cpu_codegen.schema import ModelFile

_ONE_REVISION = r"(?!\.|[^/]*\.\.)(?:refs/\w+/\w[\w.-]*|[\w.-]+)"
_HUB_FILE = re.compile(rf"({REPO}?)(?:@({_ONE_REVISION}))?/({FILE})")
_ADDRESS = re.compile(rf"https?://[^/]+/({REPO}?)/(?:blob|resolve|raw)/([\w.-]+)/([^?#]+\.gguf)(?:[?#].*)?")
_HUB_QUANT = re.compile(rf"({REPO})(?:@({REVISION}))?(?::([\w.-]+))?")


def resolve(name: str, *, models_file: Path | None = None, offline: bool = False) -> ModelSpec:
    """The spec that a name means. UsageError for a bad name, with the nearest good ones.

    The hub is asked only for what has to be looked up there: `:quant`, and quantizations that the registry does not list.
    """
    if name.startswith("hf:"):
        return _known(_hub_spec(name, offline=offline), load_catalogue(models_file))
    if name.startswith("ollama:"):
        return _ollama_spec(name)
    if address := _ADDRESS.fullmatch(name):
        raise UsageError(f"{name} is a web address", remedy=f"-m hf:{address[1]}@{address[2]}/{address[3]}")
    if name.lower().endswith(".gguf") or Path(name).is_absolute() or name.startswith(("./", "../", "~")):
        return _path_spec(name)
    if "/" in name and _HUB_QUANT.fullmatch(name):
        raise UsageError(
            f"{name!r} is no alias", remedy=f"-m hf:{name} for a repo on the hub, or the path of a .gguf file"
        )
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
        for other in listed.elsewhere:
            if (other.repo, other.file) == (spec.repo, spec.files[0]) and spec.revision in ("", other.revision):
                return _from_elsewhere(listed, other, spec)
    return spec


def _from_elsewhere(listed: ModelSpec, other: Elsewhere, spec: ModelSpec) -> ModelSpec:
    """The model's facts with those of another publisher's file."""
    return replace(
        listed,
        name=spec.name,
        quant=spec.quant,
        repo=other.repo,
        files=spec.files,
        revision=other.revision,
        sha256s=(other.sha256,) if other.sha256 else (),
        sizes=(other.size_bytes,) if other.size_bytes else (),
        note="",
        source=other.source,
    )


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
    from cpu_codegen.schema import ModelFile  # not for names alone: `models list` answers in 0.2 s

    paths, digests = _checked(spec, _copies(spec), progress)
    return ModelFile(
        name=spec.name,
        paths=tuple(str(path) for path in paths),
        size_bytes=sum(path.stat().st_size for path in paths),
        sha256=combined_sha256(digests),
        alias=spec.alias,
        quant=spec.quant,
        source=f"hf:{spec.repo}@{spec.revision or 'main'}/{spec.files[0]}" if spec.repo else spec.source,
    )


def local_paths(spec: ModelSpec) -> list[Path]:
    """Where the parts lie, sizes checked; of several copies a pinned digest decides. UnavailableError when one is not here."""
    copies = _copies(spec)
    if len(copies) > 1 and spec.sha256s:
        copies = [copy for copy in copies if _digests(copy) == spec.sha256s] or copies
    if not copies:
        raise _absent(spec)
    return list(copies[0])


def is_local(spec: ModelSpec) -> bool:
    """Whether every part is here with the expected size; digests are not looked at."""
    return bool(_copies(spec))


def _copies(spec: ModelSpec) -> list[tuple[Path, ...]]:
    """Whole copies whose sizes do not speak against them, each file once under however many names."""
    whole = [copy for copy in _places(spec) if all(_may_be(spec, index, path) for index, path in enumerate(copy))]
    distinct: dict[tuple[str, ...], tuple[Path, ...]] = {}
    for copy in whole:
        distinct.setdefault(tuple(os.path.realpath(path) for path in copy), copy)
    return list(distinct.values())


def _places(spec: ModelSpec) -> list[tuple[Path, ...]]:
    """Where a copy would lie. Parts of a split one lie in one folder: llama.cpp is given the first and looks beside it."""
    if spec.paths:
        return [tuple(map(Path, spec.paths))]
    if not spec.files:
        return []
    sha256 = spec.sha256s[0] if spec.sha256s else ""
    # a pinned digest makes the revision moot: any commit's copy will do, if it is that file
    firsts = find_cached(spec.repo, spec.files[0], "" if sha256 else spec.revision, sha256=sha256)
    others = [PurePosixPath(file).name for file in spec.files[1:]]
    return [(first, *(first.with_name(name) for name in others)) for first in firsts]


def _may_be(spec: ModelSpec, index: int, path: Path) -> bool:
    if not path.is_file():
        return False
    return bool(spec.paths) or not spec.sizes or path.stat().st_size == spec.sizes[index]


def _digests(copy: tuple[Path, ...], progress: Progress | None = None) -> tuple[str, ...]:
    return tuple(file_sha256(path, progress=progress) for path in copy)


def _absent(spec: ModelSpec) -> UnavailableError:
    if spec.paths:
        missing = next((path for path in spec.paths if not Path(path).is_file()), spec.paths[0])
        remedy = _beside(Path(missing)) if not spec.alias else f"cpu-codegen models show {spec.alias}"
        return UnavailableError(f"no file {missing}", remedy=remedy)
    size = f" ({format_bytes(spec.size_bytes)})" if spec.size_bytes else ""
    return UnavailableError(
        f"{spec.name}{_missing_part(spec)} is not on this machine{size}",
        remedy=f"cpu-codegen models pull {spec.name}",
    )


def _beside(missing: Path) -> str:
    """The GGUF files that are where one was looked for, the one with the nearest name first."""
    import difflib

    there = sorted(path.name for path in missing.parent.glob("*.gguf"))
    near = difflib.get_close_matches(missing.name, there, n=1, cutoff=0.0)
    if not near:
        return "check the path: no .gguf file is there"
    others = f", or one of {len(there)} files in {missing.parent}" if len(there) > 1 else ""
    return f"-m {missing.parent / near[0]}{others}"


def _missing_part(spec: ModelSpec) -> str:
    """`, part 2 of 3`: of the copy that has most."""
    counts = [
        next((n for n, path in enumerate(copy) if not _may_be(spec, n, path)), len(copy)) for copy in _places(spec)
    ]
    return f", part {max(counts, default=0) + 1} of {len(spec.files)}" if len(spec.files) > 1 else ""


def _checked(
    spec: ModelSpec, copies: list[tuple[Path, ...]], progress: Progress | None
) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """The first copy whose digests are the pinned ones, and its digests. IntegrityError when none is right."""
    if not copies:
        raise _absent(spec)
    for copy in copies:
        digests = _digests(copy, progress)
        if not spec.sha256s or digests == spec.sha256s:
            return copy, digests
    index = next(n for n, digest in enumerate(digests) if digest != spec.sha256s[n])
    raise IntegrityError(
        f"{copy[index]} is not the file that {spec.name} names: sha256 {digests[index][:12]}…, expected"
        f" {spec.sha256s[index][:12]}… ({PurePosixPath(spec.files[index]).name})",
        remedy=f"cpu-codegen models pull {spec.name} --again" if spec.repo else "use the right file, or mend the entry",
    )
