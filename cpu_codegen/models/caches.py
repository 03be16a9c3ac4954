"""GGUFs that other tools downloaded already: Hugging Face, LM Studio and Ollama caches, read in place, never changed.

Covered: where each tool keeps its files, and how a repo's file or a digest is found there. Not covered: whether a found file is
whole (its size and digest are checked by whoever uses it).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}")
_FOLDER = re.compile(r"[0-9A-Za-z_-]{1,128}")
# model, user/model or host/user/model, then the tag; each becomes a part of a path
_OLLAMA_NAME = re.compile(r"((?:\w[\w.-]*(?::\d+)?/){0,2}\w[\w.-]*)(?::(\w[\w.-]*))?")


def hub_cache() -> Path:
    """The Hugging Face cache, by the same variables in the same order as huggingface-hub reads them."""
    direct = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if direct:
        return _expanded(direct)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join("~", ".cache")
    return _expanded(os.path.join(os.environ.get("HF_HOME") or os.path.join(base, "huggingface"), "hub"))


def _expanded(path: str) -> Path:
    return Path(os.path.expanduser(os.path.expandvars(path)))


def repo_folder(repo: str) -> Path:
    """A repo's folder in the Hugging Face cache."""
    return hub_cache() / ("models--" + repo.replace("/", "--"))


def cached_revisions(repo: str, revision: str = "") -> list[str]:
    """Commits of a repo that are in the cache: the one that `revision` means, else main's first, then the others by age."""
    folder = repo_folder(repo)
    if _COMMIT.fullmatch(revision):
        return [revision]
    named = _reference(folder / "refs" / (revision or "main"))
    if revision:
        return [named] if named else []
    try:
        others = sorted((folder / "snapshots").iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    except OSError:
        others = []
    return list(dict.fromkeys([*([named] if named else []), *(path.name for path in others)]))


def _reference(path: Path) -> str:
    """The commit that a branch means; "" for a text that could not be the name of a folder in there."""
    commit = _text(path).strip()
    return commit if _FOLDER.fullmatch(commit) else ""


def cached_files(repo: str, revision: str = "") -> list[str]:
    """The GGUFs of a repo that are in the Hugging Face or LM Studio cache, as names inside the repo."""
    found: list[str] = []
    for folder in _copies_of_repo(repo, revision):
        found += [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.gguf")) if path.is_file()]
    return list(dict.fromkeys(found))


def find_cached(repo: str, file: str, revision: str = "", *, sha256: str = "") -> Iterator[Path]:
    """Places where a repo's file lies already, the likeliest first; by digest also under any name in Ollama's store."""
    for folder in _copies_of_repo(repo, revision):
        if os.path.isfile(folder / file):
            yield folder / file
    if sha256:
        for store, name in ((repo_folder(repo), sha256), *((store, f"sha256-{sha256}") for store in ollama_stores())):
            if os.path.isfile(blob := os.path.join(store, "blobs", name)):
                yield Path(blob)


def _copies_of_repo(repo: str, revision: str) -> Iterator[Path]:
    repo_in_hub = repo_folder(repo)
    if repo_in_hub.is_dir():  # a registry asks for a hundred repos, most of which are not here
        for commit in cached_revisions(repo, revision):
            yield repo_in_hub / "snapshots" / commit
    # LM Studio keeps no revisions: its copy may be of another one, so a pinned digest has to confirm it
    for base in lm_studio_folders():
        if os.path.isdir(base / repo):
            yield base / repo


def lm_studio_folders() -> list[Path]:
    """LM Studio's model folders: publisher/repo/file.gguf."""
    return [folder for folder in _lm_studio_places(os.path.expanduser("~")) if os.path.isdir(folder)]


@lru_cache(maxsize=4)
def _lm_studio_places(user: str) -> tuple[Path, ...]:
    """Where they may be. Asked once: a registry looks for a hundred models, each of them there.

    LM Studio writes its home into a pointer file, and a folder for models that was moved (to another disk) into its settings.
    """
    home = Path(user)
    named = _text(home / ".lmstudio-home-pointer").strip()
    homes = [*([Path(named)] if named else []), home / ".lmstudio", home / ".cache/lm-studio"]
    chosen = [_downloads_folder(_text(base / "settings.json")) for base in homes]
    return tuple(dict.fromkeys([*(Path(folder) for folder in chosen if folder), *(base / "models" for base in homes)]))


def _downloads_folder(settings: str) -> str:
    try:
        folder = json.loads(settings or "{}").get("downloadsFolder")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return folder if isinstance(folder, str) and os.path.isabs(folder) else ""


def _text(path: Path) -> str:
    """ "" for what cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def ollama_stores() -> list[Path]:
    """Ollama's stores: manifests/ and blobs/."""
    given = os.environ.get("OLLAMA_MODELS")
    places = (os.path.expanduser("~/.ollama/models"), "/usr/share/ollama/.ollama/models", "/var/lib/ollama/models")
    return [Path(store) for store in ((given,) if given else places) if os.path.isdir(store)]


def find_ollama(name: str) -> tuple[Path, str] | None:
    """`qwen2.5-coder:1.5b` → the GGUF of that model in Ollama's store, with its digest; None when it is not there."""
    match = _OLLAMA_NAME.fullmatch(name)
    if match is None:
        return None
    depth = match[1].count("/")
    model = ("*/library/", "*/", "")[depth] + match[1]
    for store in ollama_stores():
        for manifest in sorted((store / "manifests").glob(f"{model}/{match[2] or 'latest'}")):
            digest = _model_layer(manifest)
            blob = store / "blobs" / f"sha256-{digest}"
            if digest and blob.is_file():
                return blob, digest
    return None


def _model_layer(manifest: Path) -> str:
    """The digest of the layer that is the model."""
    try:
        layers = json.loads(manifest.read_text(encoding="utf-8"))["layers"]
        digests = [layer["digest"] for layer in layers if layer["mediaType"].endswith("image.model")]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return ""
    match = re.fullmatch(r"sha256:([0-9a-f]{64})", str(digests[0])) if digests else None
    return match[1] if match else ""
