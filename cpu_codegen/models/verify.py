"""Is a local file what it should be? Read again from the disk, whatever the cache of digests says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cpu_codegen.errors import IntegrityError
from cpu_codegen.gguf_header import read_header
from cpu_codegen.models.digests import Progress, combined_sha256, hash_file, remember
from cpu_codegen.models.ledger import downloads
from cpu_codegen.models.spec import ModelSpec
from cpu_codegen.registry import local_paths


@dataclass(frozen=True, slots=True)
class Checked:
    """`basis` says what the digest was compared with: the registry's, our download's, or nothing but its own length."""

    sha256: str
    basis: str


def verify_local(spec: ModelSpec, *, progress: Progress | None = None) -> Checked:
    """Reads every part. IntegrityError when a digest differs, or a file is cut or damaged."""
    paths = local_paths(spec)
    digests = tuple(hash_file(path, progress=progress) for path in paths)
    expected = spec.sha256s or _fetched_as(spec, paths)
    for path, digest, wanted in zip(paths, digests, expected or digests, strict=True):
        if digest != wanted:
            raise IntegrityError(f"{path} has sha256 {digest[:12]}…, expected {wanted[:12]}…")
        remember(path, digest)
        read_header(path)
    basis = "right (registry)" if spec.sha256s else "right (first download)" if expected else "whole, no digest known"
    return Checked(combined_sha256(digests), basis)


def _fetched_as(spec: ModelSpec, paths: list[Path]) -> tuple[str, ...]:
    """The digests that the hub named when we fetched these files; () unless all are known."""
    known = {
        (entry.repo, entry.file, Path(entry.link)): entry.sha256 for entry in downloads() if entry.state == "whole"
    }
    found = [known.get((spec.repo, file, path), "") for file, path in zip(spec.files, paths, strict=False)]
    return tuple(found) if found and all(found) else ()
